// SPDX-License-Identifier: Apache-2.0
// expect: freshet: provide does not copy: give it &object, which must outlive the broker, std::move(object), or a std::shared_ptr. See docs/handlers.md#inject
#include <freshet/broker.hpp>

struct Store {};

void wire(freshet::Broker& broker, Store& store) { broker.provide(store); }
