// SPDX-License-Identifier: Apache-2.0
// expect: freshet: declare a subscriber in one expression
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    auto orders = broker.subscriber<"orders">();
    orders.handle([](std::string_view) {});
}
