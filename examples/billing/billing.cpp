// SPDX-License-Identifier: Apache-2.0
// Makes an invoice of each order: publishes it, and answers with it if somebody asked. A whole service on one screen.
//
//     NATS_URL=nats://localhost:4222 ./billing
#include <freshet/freshet.hpp>

struct Order {
    std::string id;
    double amount{};
};
struct Invoice {
    std::string order_id;
    double total{};
};
FRESHET_JSON(Order, id, amount);  // not needed with freshet::glaze: plain aggregates just work
FRESHET_JSON(Invoice, order_id, total);

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, freshet::Path<"region"> region, freshet::Logger& log) -> Invoice {
            log.info("billing {} in {}", order.id, *region);
            return {.order_id = order.id, .total = order.amount * 1.2};
        });
}

int main(int argc, char** argv) {
    freshet::Broker broker;  // $NATS_URL, else nats://localhost:4222
    wire(broker);
    return freshet::App{broker}.run(argc, argv);  // signals, drain, command line
}
