// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a member function needs the object it is called on
#include <string_view>

#include <freshet/broker.hpp>

struct Billing {
    void bill(std::string_view) {}
};

void wire(freshet::Broker& broker) { broker.subscriber<"orders">().handle(&Billing::bill); }
