// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this handler returns a function instead of calling it: Outcome::nack() and Outcome::term("why") are functions. See docs/handlers.md#results
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"a">().handle([] { return freshet::Outcome::nack; });
}
