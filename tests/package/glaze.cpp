// SPDX-License-Identifier: Apache-2.0
#include <freshet/freshet.hpp>
#include <string>

struct Plain {
    std::string id = {};
    int count = 0;
};

int main() {
    freshet::Broker broker{{.servers = {"nats://127.0.0.1:1"}}};
    broker.subscriber<"plain">().handle([](const Plain& plain) { return plain; });
}
