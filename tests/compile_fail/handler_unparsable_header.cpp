// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Header<name, T> needs a T that text can be parsed to
#include <freshet/broker.hpp>

struct Trace {};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Header<"trace", Trace>) {});
}
