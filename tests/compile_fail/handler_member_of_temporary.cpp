// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the object of a member function handler is kept by reference
#include <string_view>

#include <freshet/broker.hpp>

struct Billing {
    void bill(std::string_view) {}
};

void wire(freshet::Broker& broker) { broker.subscriber<"orders">().handle(&Billing::bill, Billing{}); }
