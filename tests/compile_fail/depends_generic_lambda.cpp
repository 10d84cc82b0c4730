// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Depends<f> takes a function or a lambda whose parameter types are written out
#include <freshet/broker.hpp>

inline constexpr auto tenant = [](auto path) { return path; };

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Depends<tenant>) {});
}
