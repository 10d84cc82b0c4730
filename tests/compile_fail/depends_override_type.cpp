// SPDX-License-Identifier: Apache-2.0
// expect: freshet: override_dependency<&f>(g) needs a g that returns what f returns
#include <string>

#include <freshet/broker.hpp>

int session() { return 1; }

void wire(freshet::Broker& broker) {
    broker.override_dependency<&session>([] { return std::string{}; });
}
