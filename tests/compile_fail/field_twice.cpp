// SPDX-License-Identifier: Apache-2.0
// expect: freshet: two parameters are the same field of the body; take it once
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Field<"id", int>, freshet::Field<"id">) {});
}
