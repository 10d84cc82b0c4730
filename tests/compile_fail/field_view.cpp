// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Field<name, T> needs a T that a field of FRESHET_JSON may be
#include <string_view>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders">().handle([](freshet::Field<"id", std::string_view>) {});
}
