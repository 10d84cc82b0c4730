// SPDX-License-Identifier: Apache-2.0
// A service of three handlers: what it costs to compile, and how large it is (docs/performance.md). cnats.cpp is the
// same service without freshet. With freshet::glaze linked, the types need no FRESHET_JSON.
#include <optional>
#include <string>

#include <freshet/freshet.hpp>

struct Order {
    std::string id;
    double amount = 0;
    int count = 0;
    std::optional<std::string> note;
};
struct Invoice {
    std::string order_id;
    double total = 0;
};
struct Question {
    std::string article;
    int quantity = 1;
};
struct Price {
    std::string article;
    double total = 0;
};
struct Delivery {
    std::string article;
    int quantity = 0;
};
#ifndef FRESHET_GLAZE
FRESHET_JSON(Order, id, amount, count, note);
FRESHET_JSON(Invoice, order_id, total);
FRESHET_JSON(Question, article, quantity);
FRESHET_JSON(Price, article, total);
FRESHET_JSON(Delivery, article, quantity);
#endif

int main(int argc, char** argv) {
    freshet::Broker broker;
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order) -> Invoice { return {.order_id = order.id, .total = order.amount * 1.2}; });
    broker.subscriber<"prices.ask">({.queue = "billing"}).handle([](const Question& question) -> Price {
        return {.article = question.article, .total = question.quantity * 1.5};
    });
    broker.subscriber<"stock.{place}.arrived">().handle([](const Delivery& delivery, freshet::Path<"place"> place,
                                                           freshet::Logger& log) {
        log.info("{} of {} arrived in {}", delivery.quantity, delivery.article, *place);
    });
    return freshet::App{broker}.run(argc, argv);
}
