// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this handler parameter has no codec and no extractor
#include <freshet/broker.hpp>

struct Unknown {
    std::unique_ptr<int> field;
};
int session(const Unknown&) { return 1; }

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](freshet::Depends<&session>) {});
}
