// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a message body needs a default constructor
#include <freshet/broker.hpp>

struct Order {
    explicit Order(int number) : id{number} {}
    int id;
};
FRESHET_JSON(Order, id);

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](const Order&) {});
}
