// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler takes the whole body or Fields of it, not both
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](const std::string&, freshet::Field<"id", int>) {});
}
