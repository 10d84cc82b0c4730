// SPDX-License-Identifier: Apache-2.0
#include "registrations.hpp"

#include <freshet/testing.hpp>

int main() {
    freshet::Broker broker;
    register_orders(broker);
    broker.subscriber<"echo">().handle([](const Order& order) { return order; });
    freshet::testing::TestBroker test{broker};
    return test.publish("echo", Order{}) == freshet::Outcome::ack ? 0 : 1;
}
