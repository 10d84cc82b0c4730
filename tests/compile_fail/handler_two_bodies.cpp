// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler takes one message body at most
#include <string>
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](std::string_view, const std::string&) {});
}
