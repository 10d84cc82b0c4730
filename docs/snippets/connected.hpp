// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/broker.hpp>

#include "../../tests/support/server.hpp"

namespace snippets {

/// A server, and the broker of a page.
struct Connected {
    freshet::testing::NatsServer server = freshet::testing::NatsServer{};
    freshet::Broker broker{{.servers = {server.url()}}};
};

/// The same, with JetStream.
struct WithStreams {
    freshet::testing::NatsServer server = freshet::testing::NatsServer{{.jetstream = true}};
    freshet::Broker broker{{.servers = {server.url()}}};
};

}  // namespace snippets
