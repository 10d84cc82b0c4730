// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <string>
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"greet">().handle([](const std::string& name) {
        return freshet::Response<std::string_view>{.body = name};
    });
}
