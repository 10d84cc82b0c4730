// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a function of Depends returns a view
#include <string>
#include <string_view>

#include <freshet/broker.hpp>

std::string_view tenant(freshet::Header<"tenant", std::string> name) { return *name; }

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Depends<&tenant>) {});
}
