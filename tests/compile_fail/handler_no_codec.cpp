// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this handler parameter has no codec and no extractor
#include <freshet/broker.hpp>

struct Order {
    int id = 0;
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](const Order&) {});
}
