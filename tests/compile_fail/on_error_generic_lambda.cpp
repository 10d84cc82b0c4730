// SPDX-License-Identifier: Apache-2.0
// expect: freshet: on_error takes a function or a lambda whose parameter types are written out
#include <stdexcept>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.on_error<std::runtime_error>([](const auto&) {});
}
