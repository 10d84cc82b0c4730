// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the type this handler returns has no codec
#include <string_view>

#include <freshet/broker.hpp>

struct Invoice {
    int total = 0;
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](std::string_view) { return Invoice{}; });
}
