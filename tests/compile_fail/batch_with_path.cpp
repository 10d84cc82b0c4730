// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler of batches cannot take Path, Header, Field or Message, which belong to one message
#include <span>
#include <string>

#include <freshet/broker.hpp>

void declare(freshet::Broker& broker) {
    broker.subscriber<"a.{id}">({.batch = {.size = 3}}).handle([](std::span<const std::string>, freshet::Path<"id">) {
    });
}
