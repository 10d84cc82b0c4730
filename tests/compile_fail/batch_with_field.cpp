// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler of batches cannot take Path, Header, Field or Message
#include <span>
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">({.batch = {.size = 3}})
        .handle([](std::span<const std::string>, freshet::Field<"id", int>) {});
}
