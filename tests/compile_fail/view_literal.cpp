// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"ping">().handle([] { return "pong"; });
}
