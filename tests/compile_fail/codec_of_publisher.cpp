// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this codec cannot write what the publisher publishes
#include <string>

#include <freshet/broker.hpp>

struct Csv {
    static freshet::Expected<void> decode(freshet::Bytes in, std::string& out);
};

void wire(freshet::Broker& broker) { broker.publisher<std::string, "lines">().codec<Csv>().publish("a;1"); }
