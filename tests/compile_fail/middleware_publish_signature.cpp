// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a publish middleware is called with (Outgoing&, NextPublish) and returns Expected<void>
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.use_publish([](freshet::Outgoing& out, freshet::NextPublish next) { (void)next(out); });
}
