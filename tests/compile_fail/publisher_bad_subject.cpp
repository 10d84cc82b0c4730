// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has a bad parameter name
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { broker.publisher<std::string, "orders.{the-region}">(); }
