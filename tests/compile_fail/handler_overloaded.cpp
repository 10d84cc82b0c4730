// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler is a function, a lambda or an object with one operator()
#include <string_view>

#include <freshet/broker.hpp>

struct Handler {
    void operator()(std::string_view) {}
    void operator()(const freshet::Message&) {}
};

void wire(freshet::Broker& broker) { broker.subscriber<"orders">().handle(Handler{}); }
