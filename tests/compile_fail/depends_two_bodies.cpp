// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a function of Depends takes one message body at most
#include <freshet/broker.hpp>

int session(std::string_view, int) { return 1; }

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](freshet::Depends<&session>) {});
}
