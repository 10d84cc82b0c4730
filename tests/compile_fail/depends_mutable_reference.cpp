// SPDX-License-Identifier: Apache-2.0
// expect: freshet: take a body and extracted values by value or const&
#include <freshet/broker.hpp>

int session() { return 1; }

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](freshet::Depends<&session>&) {});
}
