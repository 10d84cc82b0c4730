// SPDX-License-Identifier: Apache-2.0
// The mistake in the body is told first, and what freshet says of the handler beside it, since its result cannot be
// known, says so.
// expect: no member named
#include <freshet/broker.hpp>

struct Order {
    int id = 0;
};
FRESHET_JSON(Order, id);

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](const Order& order) { return order.number; });
}
