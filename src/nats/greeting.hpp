// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/transport.hpp>

namespace freshet::detail::nats {

/// What a server sends first to a new connection: an INFO line, perhaps followed by the reason why it closes again.
/// https://docs.nats.io/reference/reference-protocols/nats-protocol#info
struct Greeting {
    ServerInfo server = {};    ///< without the URL
    std::string refusal = {};  ///< text of `-ERR`; "" if there is none
};

/// Reads a greeting. Fields that are missing, or of another type than expected, keep their defaults.
Greeting read_greeting(std::string_view text);

}  // namespace freshet::detail::nats
