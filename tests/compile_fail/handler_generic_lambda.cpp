// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler is a function, a lambda or an object with one operator()
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](const auto&) {});
}
