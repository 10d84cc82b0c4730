// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a header that may be absent is Header<name, std::optional<T>>, with the optional inside
#include <optional>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](std::optional<freshet::Header<"user">>) {});
}
