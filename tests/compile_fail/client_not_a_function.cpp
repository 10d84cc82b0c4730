// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a client is declared with a function type
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { (void)broker.client<std::string>("invoices"); }
