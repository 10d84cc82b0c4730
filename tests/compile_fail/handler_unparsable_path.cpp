// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name, T> needs a T that a token can be parsed to
#include <freshet/broker.hpp>

struct Region {};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}">().handle([](freshet::Path<"region", Region>) {});
}
