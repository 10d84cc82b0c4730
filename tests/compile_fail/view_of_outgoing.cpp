// SPDX-License-Identifier: Apache-2.0
// expect: deleted
#include <string>

#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.use_publish([](freshet::Outgoing& out, freshet::NextPublish next) {
        out.subject = "eu." + std::string{out.subject};
        return next(out);
    });
}
