// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the answer's type has no codec
#include <string>

#include <freshet/broker.hpp>

struct Invoice {
    int total = 0;
};

void wire(freshet::Broker& broker) { (void)broker.client<Invoice(std::string)>("invoices")("body"); }
