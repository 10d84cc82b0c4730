// SPDX-License-Identifier: Apache-2.0
// The other side of billing: publishes orders for several regions, reads the invoices that come of them, and asks for
// one more as a remote function. The exit code is 0 if every total is right.
//
//     NATS_URL=nats://localhost:4222 ./billing_client        # while ./billing runs
#include <cmath>
#include <map>

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

bool check(const Order& order, const Invoice& invoice) {
    const bool right = invoice.order_id == order.id && std::abs(invoice.total - order.amount * 1.2) < 0.005;
    if (!right)
        fmt::print(stderr, "wrong: {} for {} is not {:.2f} for {}\n", invoice.total, invoice.order_id,
                   order.amount * 1.2, order.id);
    return right;
}

int main() try {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // each line at once, into a pipe too
    freshet::Broker broker;
    auto invoices = broker.subscriber<"invoices.>">().messages();
    broker.start();
    int wrong = 0;

    // Events: each order goes to its region's subject, each invoice comes from its region's.
    const std::map<std::string, Order> orders{{"asia", {"a1", 10}}, {"eu", {"b2", 25}}, {"us", {"c3", 99.50}}};
    auto created = broker.publisher<Order, "orders.{region}.created">();
    for (const auto& [region, order] : orders) {
        created.publish(order, region);
        fmt::print("published  order   {} in {}: {:.2f}\n", order.id, region, order.amount);
    }
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const auto message = invoices.next(5s);
        if (!message) throw freshet::Error{freshet::Errc::timeout, "no invoice came within 5 s; is ./billing running?"};
        const auto invoice = freshet::decode<Invoice>(*message);
        const std::string region{message->subject().substr(std::string_view{"invoices."}.size())};
        fmt::print("received   invoice {} in {}: {:.2f}\n", invoice.order_id, region, invoice.total);
        if (!check(orders.at(region), invoice)) ++wrong;
    }

    // The same handler as a remote function: what it returns is also the answer to who asks.
    auto bill = broker.client<Invoice(const Order&)>("orders.eu.created");
    const Order order{"d4", 50};
    const Invoice invoice = bill(order);
    fmt::print("asked for  invoice {} in eu: {:.2f}\n", invoice.order_id, invoice.total);
    if (!check(order, invoice)) ++wrong;

    return wrong == 0 ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "billing_client: {}\n", error.what());
    return 1;
}
