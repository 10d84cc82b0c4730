// SPDX-License-Identifier: Apache-2.0
// expect: freshet: when(predicate, handler) calls predicate(const Message&) or predicate(Context&) for a bool
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().when([](int) { return true; }, [] {}).handle([] {});
}
