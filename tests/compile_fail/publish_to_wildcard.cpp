// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject to publish on has a wildcard
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.*">().publish_to<"invoices.*">().handle([](std::string_view body) { return body; });
}
