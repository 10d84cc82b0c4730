// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <string>
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"greet">().handle([](const std::string& name) {
        const std::string text = "hello " + name;
        return std::string_view{text};
    });
}
