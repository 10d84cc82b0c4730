// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this function returns a view
#include <optional>
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"greet">().handle([](const std::string& name) {
        return std::optional<freshet::Bytes>{freshet::as_bytes(name)};
    });
}
