// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the codec of this subscriber neither reads the body that the handler takes nor writes
#include <string>

#include <freshet/broker.hpp>

struct Csv {
    static freshet::Expected<void> decode(freshet::Bytes in, std::string& out);
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"numbers">().codec<Csv>().handle([](int) {});
}
