// SPDX-License-Identifier: Apache-2.0
// expect: freshet: take a body and extracted values by value or const&
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Context) {});
}
