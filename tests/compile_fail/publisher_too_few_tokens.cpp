// SPDX-License-Identifier: Apache-2.0
// expect: freshet: publish takes the value and one token for each {parameter} of the publisher's subject
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { broker.publisher<std::string, "orders.{region}.{id}">().publish("body", "eu"); }
