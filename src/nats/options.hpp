// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <freshet/options.hpp>
#include <freshet/transport.hpp>

#include "nats/callbacks.hpp"
#include "nats/handle.hpp"

namespace freshet::detail::nats {

/// Returns the servers to connect to; never empty.
std::vector<std::string> servers_of(const BrokerOptions& options);

/// Returns a name of the credentials for errors, without secrets: "user 'bob'", "a token"...
std::string name_of_credentials(const BrokerOptions& options);

/// Returns cnats's options for one of a broker's connections. Reads the files that `options` names.
/// Throws Error(Errc::bad_setup), which names the field, for options that cannot be used.
OptionsHandle make_options(const BrokerOptions& options, Lane lane, const Callbacks& callbacks);

/// Returns the seed of an NkeySeed; empty for other credentials.
std::string seed_of(const BrokerOptions& options);

}  // namespace freshet::detail::nats
