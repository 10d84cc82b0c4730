// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler of batches returns void, Outcome or Expected<void>
#include <span>
#include <string>

#include <freshet/broker.hpp>

void declare(freshet::Broker& broker) {
    broker.subscriber<"a">({.batch = {.size = 3}}).handle([](std::span<const std::string> batch) { return batch[0]; });
}
