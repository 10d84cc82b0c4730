// SPDX-License-Identifier: Apache-2.0
#include "registrations.hpp"

#include <freshet/native.hpp>

int main() {
    freshet::Broker broker{{.servers = {"nats://127.0.0.1:1"}}};
    register_orders(broker);
    broker.subscriber<"orders.>">().handle([](const Order& order) { return order; });
    // Neither started nor stopped: what the broker was told must be released all the same.
    return nats_GetVersionNumber() >= 0x030400 && FRESHET_VERSION >= 100 ? 0 : 1;
}
