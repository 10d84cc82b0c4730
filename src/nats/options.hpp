// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/options.hpp>
#include <freshet/transport.hpp>

#include "nats/callbacks.hpp"
#include "nats/credentials.hpp"
#include "nats/handle.hpp"

namespace freshet::detail::nats {

/// Returns the servers to connect to; never empty.
std::vector<std::string> servers_of(const BrokerOptions& options);

/// Returns cnats's options for one of a broker's connections. Reads the files that `options` names, and calls the
/// functions that give credentials. `first_server` is the address "host:port" that is tried first; may be empty.
/// Throws Error(Errc::bad_setup), which names the field, for options that cannot be used.
OptionsHandle make_options(const BrokerOptions& options, Lane lane, CredentialSource& credentials,
                           const Callbacks& callbacks, std::string_view first_server);

}  // namespace freshet::detail::nats
