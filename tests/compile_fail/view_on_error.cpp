// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <stdexcept>
#include <string>
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.on_error<std::runtime_error>([](const std::runtime_error& error) {
        const std::string text = error.what();
        return std::string_view{text};
    });
}
