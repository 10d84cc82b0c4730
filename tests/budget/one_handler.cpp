// SPDX-License-Identifier: Apache-2.0
// A program with one handler, whose size budgets.json limits.
#include <string>

#include <freshet/freshet.hpp>

struct Order {
    std::string id = {};
    double amount = 0;
};
struct Invoice {
    std::string order_id = {};
    double total = 0;
};
FRESHET_JSON(Order, id, amount);
FRESHET_JSON(Invoice, order_id, total);

int main(int argc, char** argv) {
    freshet::Broker broker;
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, freshet::Path<"region"> region, freshet::Logger& log) -> Invoice {
            log.info("billing {} in {}", order.id, *region);
            return {.order_id = order.id, .total = order.amount * 1.2};
        });
    return freshet::App{broker}.run(argc, argv);
}
