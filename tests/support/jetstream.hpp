// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <freshet/broker.hpp>
#include <freshet/jetstream.hpp>

#include "server.hpp"

namespace freshet::testing {

/// A nats-server with JetStream and a broker connected to it, for TEST_CASE_METHOD. The broker is not started, so that
/// the test can declare subscribers.
struct JetStreamFixture {
    NatsServer server = NatsServer{{.jetstream = true}};
    Broker broker{{.servers = {server.url()}, .name = "test"}};

    js::JetStream started() {
        broker.start();
        return broker.jetstream();
    }
};

}  // namespace freshet::testing
