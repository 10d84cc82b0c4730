// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the elements of a batch, std::span<const T>, have no codec
#include <span>

#include <freshet/broker.hpp>

class Opaque {
public:
    Opaque() = default;

private:
    int hidden_ = 0;
};

void declare(freshet::Broker& broker) {
    broker.subscriber<"a">({.batch = {.size = 3}}).handle([](std::span<const Opaque>) {});
}
