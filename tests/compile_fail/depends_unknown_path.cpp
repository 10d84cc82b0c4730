// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name> names a parameter that the subscriber's subject does not have
#include <freshet/broker.hpp>

int tenant(freshet::Path<"tenant", int> id) { return *id; }
int session(freshet::Depends<&tenant> id) { return *id; }

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](freshet::Depends<&session>) {});
}
