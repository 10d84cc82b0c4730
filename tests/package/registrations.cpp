// SPDX-License-Identifier: Apache-2.0
#include "registrations.hpp"

void register_orders(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"copies.{region}">()
        .handle([](const Order& order, freshet::Path<"region">) { return order; });
}
