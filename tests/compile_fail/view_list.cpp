// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <string>
#include <string_view>
#include <vector>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"words">().handle([](const std::string& text) {
        return std::vector<std::string_view>{text, text};
    });
}
