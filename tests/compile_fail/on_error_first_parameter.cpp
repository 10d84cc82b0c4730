// SPDX-License-Identifier: Apache-2.0
// expect: freshet: on_error<E>(f) needs an f whose first parameter is const E&
#include <stdexcept>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.on_error<std::runtime_error>([](freshet::Context&) {});
}
