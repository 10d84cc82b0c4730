// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a {parameter} of a subject is filled with a string or an integer
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { broker.publisher<std::string, "orders.{region}">().publish("body", 1.5); }
