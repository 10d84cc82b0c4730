// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a client takes one argument, the body of the request
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { (void)broker.client<std::string(std::string, int)>("invoices")("body", 1); }
