// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mutants.hpp"

namespace freshet::testing {

/// Ways to break JetStream, and a rule that each breaks: what is done to the words that go to the server, or come from
/// it. "forgets max_msgs": a setting; "loses Nats-TTL": a header; "asks without expires": a part of a request for
/// messages; "turns -NAK into +ACK": an acknowledgement; "hides 408": a status.
std::vector<Mutation> jetstream_mutations();

/// A transport to such a server.
std::unique_ptr<Transport> mutate_jetstream(std::unique_ptr<Transport> transport, std::string_view mutation);

}  // namespace freshet::testing
