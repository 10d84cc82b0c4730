// SPDX-License-Identifier: Apache-2.0
// Uses plain aggregates as bodies, without a macro, because the program links freshet::glaze.
//
//     NATS_URL=nats://localhost:4222 ./aggregates
#include <map>
#include <optional>
#include <vector>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

struct Line {
    std::string article;
    int quantity{};
    double price{};
};
struct Basket {
    std::string customer;
    std::vector<Line> lines;
    std::optional<std::string> coupon;
};
struct Bill {
    std::string customer;
    double total{};
    std::map<std::string, double> by_article;
};

int main() try {
    freshet::Broker broker;
    broker.subscriber<"baskets.{shop}.bill">().handle([](const Basket& basket) -> Bill {
        Bill bill{.customer = basket.customer, .total = 0, .by_article = {}};
        for (const Line& line : basket.lines) {
            const double price = line.quantity * line.price * (basket.coupon ? 0.5 : 1.0);
            bill.by_article[line.article] += price;
            bill.total += price;
        }
        return bill;
    });
    broker.start();

    const Basket basket{.customer = "ann", .lines = {{"apple", 6, 0.5}, {"pear", 2, 1.0}}, .coupon = "half"};
    const Bill bill = broker.request<Bill>("baskets.north.bill", basket);
    fmt::print("{} pays {:.2f}\n", bill.customer, bill.total);
    for (const auto& [article, price] : bill.by_article) fmt::print("  {}: {:.2f}\n", article, price);
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "aggregates: {}\n", error.what());
    return 1;
}
