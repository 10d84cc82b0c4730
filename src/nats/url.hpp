// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// The parts of a server's URL, `[nats://|tls://][user[:password]@]host[:port]`. Views into the text that it was parsed
/// from.
struct ServerUrl {
    std::string_view scheme = "nats";
    std::string_view user = {};  ///< user, percent-encoded; empty if the URL has a token instead
    bool has_token = false;      ///< the URL has a token before its host
    std::string_view host = {};  ///< IPv6 addresses without their brackets
    std::string_view port = "4222";

    /// Parses a URL. Errc::bad_setup, with the reason and without the password, if that fails.
    static Expected<ServerUrl> parse(std::string_view text);
};

/// Returns the URL without user, password and token, and without anything after host and port, to be shown.
std::string without_credentials(std::string_view url);
/// Returns the URLs without user, password and token, separated by commas.
std::string without_credentials(const std::vector<std::string>& urls);

/// Returns what follows "nats://" in a URL; all of it if it has no scheme.
std::string without_scheme(const std::string& url);

/// Returns "host:port", as URLs have it: an IPv6 address stands in brackets.
std::string address_of(std::string_view host, std::string_view port);

/// Returns `text` without its percent escapes, and as it is if one of them is broken.
std::string without_escapes(std::string_view text);

/// Returns `text` as the inside of a JSON string. cnats puts user, password, token and client name into its CONNECT
/// line as they are, so a quote or a backslash in one of them would break the line.
std::string json_text(std::string_view text);

/// Returns the URL with user, password and token made fit for cnats's CONNECT line, see json_text().
std::string url_for_connect(std::string_view url);

/// Returns why the host's name cannot be resolved; "" if it can. Asks the resolver, so it may block for seconds.
std::string resolver_problem(const ServerUrl& url);

}  // namespace freshet::detail::nats
