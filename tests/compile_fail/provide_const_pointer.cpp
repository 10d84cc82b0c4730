// SPDX-License-Identifier: Apache-2.0
// expect: freshet: provide takes an object, or a pointer to one that is not const
#include <freshet/broker.hpp>

struct Store {};

void wire(freshet::Broker& broker, const Store& store) { broker.provide(&store); }
