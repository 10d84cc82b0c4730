// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler takes one batch at most
#include <span>
#include <string>

#include <freshet/broker.hpp>

void declare(freshet::Broker& broker) {
    broker.subscriber<"a">({.batch = {.size = 3}}).handle([](std::span<const std::string>, std::span<const int>) {});
}
