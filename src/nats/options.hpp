// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <freshet/options.hpp>
#include <freshet/transport.hpp>

#include "nats/callbacks.hpp"
#include "nats/handle.hpp"

namespace freshet::detail::nats {

/// The servers to connect to, never empty.
std::vector<std::string> servers_of(const BrokerOptions& options);

/// "user 'bob'", "a token"...: how the credentials are called in an error, without secrets.
std::string name_of_credentials(const BrokerOptions& options);

/// What cnats wants for one of a broker's connections. Reads the files that `options` names.
/// Throws Error(Errc::bad_setup) for what cannot be used, saying which field.
OptionsHandle make_options(const BrokerOptions& options, Lane lane, const Callbacks& callbacks);

/// The seed of an NkeySeed, else empty.
std::string seed_of(const BrokerOptions& options);

}  // namespace freshet::detail::nats
