// SPDX-License-Identifier: Apache-2.0
// expect: freshet: publish_to needs a handler that returns what to publish
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().publish_to<"invoices">().handle([](std::string_view) {
        return freshet::Outcome::ack;
    });
}
