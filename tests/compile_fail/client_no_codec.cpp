// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the type sent has no codec
#include <freshet/broker.hpp>

struct Order {
    int id = 0;
};

void wire(freshet::Broker& broker) { broker.client<void(const Order&)>("orders")(Order{}); }
