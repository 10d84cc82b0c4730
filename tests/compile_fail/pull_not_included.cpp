// SPDX-License-Identifier: Apache-2.0
// expect: include_freshet_jetstream_hpp
// expect-clang: incomplete type 'freshet::js::Pull'
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">(freshet::js::Pull{.stream = "ORDERS", .durable = "billing"})
        .handle([](std::string_view) {});
}
