// SPDX-License-Identifier: Apache-2.0
// expect: subscriber
// expect-note: SubscriberOptions
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">({.que = "billing"}).handle([](std::string_view) {});
}
