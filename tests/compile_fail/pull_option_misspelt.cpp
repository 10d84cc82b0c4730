// SPDX-License-Identifier: Apache-2.0
// expect: durabel
#include <string_view>

#include <freshet/jetstream.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">(freshet::js::Pull{.stream = "ORDERS", .durabel = "billing"})
        .handle([](std::string_view) {});
}
