// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a batch is taken as std::span<const T>, with const.
#include <span>
#include <string>

#include <freshet/broker.hpp>

void declare(freshet::Broker& broker) {
    broker.subscriber<"a">({.batch = {.size = 3}}).handle([](std::span<std::string>) {});
}
