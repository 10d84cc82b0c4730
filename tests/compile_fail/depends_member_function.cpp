// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Depends<&f> takes a free or static function
#include <freshet/broker.hpp>

struct Database {
    int open();
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Depends<&Database::open>) {});
}
