// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the object of a member function handler is not of the member function's class
#include <string_view>

#include <freshet/broker.hpp>

struct Billing {
    void bill(std::string_view) {}
};
struct Shipping {};

void wire(freshet::Broker& broker, Shipping& shipping) {
    broker.subscriber<"orders">().handle(&Billing::bill, &shipping);
}
