// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this codec cannot write the value
#include <string>

#include <freshet/broker.hpp>

struct Csv {
    static freshet::Expected<void> decode(freshet::Bytes in, std::string& out);
};

void wire(freshet::Broker& broker) { broker.publish("lines", freshet::coded<Csv>(std::string{"a;1"})); }
