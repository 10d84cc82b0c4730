// SPDX-License-Identifier: Apache-2.0
// expect: freshet: publish_to names a {parameter} that the subscriber's subject does not have
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}">().publish_to<"invoices.{id}">().handle([](std::string_view body) {
        return body;
    });
}
