// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// A server's URL, `[nats://|tls://][user[:password]@]host[:port]`, in its parts. Views into the text it was made of.
struct ServerUrl {
    std::string_view scheme = "nats";
    std::string_view user = {};  ///< of the URL, percent-encoded; empty where it has a token instead
    std::string_view host = {};  ///< IPv6 addresses without their brackets
    std::string_view port = "4222";

    /// Errc::bad_setup says what is wrong, without the password.
    static Expected<ServerUrl> parse(std::string_view text);
};

/// What may be shown: the text without user, password and token.
std::string without_credentials(std::string_view url);
/// The same of several, with commas.
std::string without_credentials(const std::vector<std::string>& urls);

/// Why the host's name cannot be resolved, "" if it can. Asks the resolver: may block for seconds.
std::string resolver_problem(const ServerUrl& url);

}  // namespace freshet::detail::nats
