// SPDX-License-Identifier: Apache-2.0
// expect: NoOptionOfASubscriberHasThisNameAndType
// expect-clang: freshet: no option of a subscriber has this name and type
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">({.que = "billing"}).handle([](std::string_view) {});
}
