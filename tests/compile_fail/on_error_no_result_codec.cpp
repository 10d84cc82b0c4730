// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the type that this on_error function returns has no codec
#include <memory>
#include <stdexcept>

#include <freshet/broker.hpp>

struct Unknown {
    std::unique_ptr<int> field;
};

void wire(freshet::Broker& broker) {
    broker.on_error<std::runtime_error>([](const std::runtime_error&) { return Unknown{}; });
}
