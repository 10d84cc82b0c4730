// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the default of this parameter is no T
#include <cstdint>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Header<"pages", std::uint8_t, 300>) {});
}
