// SPDX-License-Identifier: Apache-2.0
// Tells in numbers what it does, as Prometheus' text: when it is asked on metrics.shop.
//
//     NATS_URL=nats://localhost:4222 ./metrics
//     nats publish orders.eu.created '{"id":"a1","amount":10}'
//     nats request metrics.shop ''
#include <string>

#include <freshet/freshet.hpp>
#include <freshet/metrics.hpp>

using freshet::RemoteError;

struct Order {
    std::string id;
    double amount{};
};
FRESHET_JSON(Order, id, amount);

int main(int argc, char** argv) {
    freshet::Broker broker;
    freshet::Metrics metrics{{.labels = {{"service", "shop"}}, .duration_buckets = {0.001, 0.01, 0.1, 1}}};
    metrics.add(broker);  // before the start

    // One series of each metric, however many regions there are.
    broker.subscriber<"orders.{region}.created">({.queue = "shop"})
        .publish_to<"orders.{region}.accepted">()
        .handle([](const Order& order) {
            if (order.amount <= 0) throw RemoteError{422, "an order must cost something"};
            return order;
        });
    broker.subscriber<"metrics.shop">().handle([&] { return metrics.text(); });
    return freshet::App{broker}.run(argc, argv);
}
