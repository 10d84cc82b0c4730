// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Inject<T> names the type of the object, not of a pointer to it: Inject<Store>, however the object was provided. See docs/handlers.md#inject
#include <memory>

#include <freshet/broker.hpp>

struct Store {};

void wire(freshet::Broker& broker) {
    broker.subscriber<"a">().handle([](freshet::Inject<std::shared_ptr<Store>>) {});
}
