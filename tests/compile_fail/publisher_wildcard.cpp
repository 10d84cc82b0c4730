// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject to publish on has a wildcard
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { broker.publisher<std::string, "orders.>">(); }
