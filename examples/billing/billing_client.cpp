// SPDX-License-Identifier: Apache-2.0
// Uses the service `billing`: asks for an invoice as a remote function, publishes orders for several regions, and reads
// the invoices that the service makes of them. The exit code is 0 if every total is right.
//
//     NATS_URL=nats://localhost:4222 ./billing_client        # while ./billing runs
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ranges>
#include <vector>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

using namespace std::chrono_literals;

struct Order {
    std::string id;
    double amount{};
};
struct Invoice {
    std::string order_id;
    double total{};
};
FRESHET_JSON(Order, id, amount);
FRESHET_JSON(Invoice, order_id, total);

struct Sale {
    std::string region;
    Order order;
};

bool is_right(const Sale& sale, const Invoice& invoice) {
    return invoice.order_id == sale.order.id && std::abs(invoice.total - sale.order.amount * 1.2) < 0.005;
}

int main() try {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // each line at once, into a pipe too
    const std::vector<Sale> sales{{"eu", {"a1", 50}}, {"asia", {"b2", 10}}, {"eu", {"c3", 25}}, {"us", {"d4", 99.50}}};

    freshet::Broker broker;
    auto invoices = broker.subscriber<"invoices.>">().messages();
    broker.start();

    // Calls the handler as a remote function: the caller gets its result. Fails at once if the service does not run.
    auto bill = broker.client<Invoice(const Order&)>("orders.eu.created");
    const Invoice answer = bill(sales.front().order);
    fmt::print("asked for invoice {} in eu: {:.2f}\n", answer.order_id, answer.total);
    std::ptrdiff_t right = is_right(sales.front(), answer) ? 1 : 0;

    // Publishes orders as events: the handler runs, and nobody waits for an answer.
    auto created = broker.publisher<Order, "orders.{region}.created">();
    for (const auto& [region, order] : sales | std::views::drop(1)) {
        created.publish(order, region);
        fmt::print("published order {} in {}: {:.2f}\n", order.id, region, order.amount);
    }

    // The service publishes an invoice for each order, asked for or not.
    for (std::size_t i = 0; i < sales.size(); ++i) {
        const auto message = invoices.next(5s);
        if (!message) throw freshet::Error{freshet::Errc::timeout, "no invoice came within 5 s"};
        const auto invoice = freshet::decode<Invoice>(*message);
        fmt::print("received invoice {} on {}: {:.2f}\n", invoice.order_id, message->subject(), invoice.total);
        right += std::ranges::count_if(sales, [&](const Sale& sale) {
            return is_right(sale, invoice) && message->subject() == "invoices." + sale.region;
        });
    }

    const auto expected = std::ssize(sales) + 1;
    fmt::print("{} of {} invoices are right\n", right, expected);
    return right == expected ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "billing_client: {}\n", error.what());
    return 1;
}
