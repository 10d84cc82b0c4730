// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a function of Depends returns a value or an lvalue reference
#include <freshet/broker.hpp>

int&& session();

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](freshet::Depends<&session>) {});
}
