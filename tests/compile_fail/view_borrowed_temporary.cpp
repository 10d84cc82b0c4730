// SPDX-License-Identifier: Apache-2.0
// expect: deleted
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"greet">().handle([](const std::string& name) { return freshet::Borrowed{"hello " + name}; });
}
