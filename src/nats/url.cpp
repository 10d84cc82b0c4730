// SPDX-License-Identifier: Apache-2.0
#include "nats/url.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

#include <netdb.h>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/quoted.hpp"

namespace freshet::detail::nats {
namespace {

struct Split {
    std::string_view scheme;    // with "://", or empty
    std::string_view userinfo;  // with "@", or empty
    std::string_view address;
};

/// Splits as cnats does: the last "@" counts, so that a password may contain one.
Split split(std::string_view url) {
    const auto scheme_end = url.find("://");
    const auto authority = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
    const auto at = url.rfind('@');
    const auto address = at == std::string_view::npos || at < authority ? authority : at + 1;
    return {url.substr(0, authority), url.substr(authority, address - authority), url.substr(address)};
}

bool is_port(std::string_view text) { return FromText<std::uint16_t>::parse(text).value_or(0) != 0; }

bool is_host(std::string_view text) {
    return !text.empty() &&
           std::ranges::none_of(text, [](char c) { return c <= ' ' || c == '[' || c == ']' || c == '/'; });
}

}  // namespace

Expected<ServerUrl> ServerUrl::parse(std::string_view text) {
    const auto wrong = [&](std::string_view why) {
        return failure(Errc::bad_setup, fmt::format("{} is not the URL of a NATS server: {}; it looks like "
                                                    "nats://host:4222 or tls://user:password@host:4222",
                                                    quoted(without_credentials(text)), why));
    };
    auto [scheme, userinfo, address] = split(text);
    ServerUrl url;
    if (!scheme.empty()) url.scheme = scheme.substr(0, scheme.size() - 3);
    if (url.scheme == "ws" || url.scheme == "wss") return wrong("WebSocket is not supported");
    if (url.scheme != "nats" && url.scheme != "tls") return wrong("the scheme is not nats or tls");
    const auto name_end = userinfo.find(':');
    if (name_end != std::string_view::npos) url.user = userinfo.substr(0, name_end);  // without a colon it is a token

    if (address.ends_with('/')) address.remove_suffix(1);
    const auto bracket = address.starts_with('[') ? address.find(']') : 0;
    if (bracket == std::string_view::npos) return wrong("a bracket is not closed");
    const auto colon = address.find(':', bracket);
    url.host = bracket > 0 ? address.substr(1, bracket - 1) : address.substr(0, colon);
    if (bracket > 0 && bracket + 1 != std::min(colon, address.size())) return wrong("there is text after the bracket");
    if (colon != std::string_view::npos) url.port = address.substr(colon + 1);
    if (!is_host(url.host)) return wrong("the host is empty or has characters that no host has");
    if (!is_port(url.port)) return wrong("the port is not a number from 1 to 65535");
    return url;
}

std::string without_credentials(std::string_view url) {
    const auto parts = split(url);
    return std::string{parts.scheme} + std::string{parts.address};
}

std::string without_credentials(const std::vector<std::string>& urls) {
    std::string list;
    for (const auto& url : urls) list += (list.empty() ? "" : ", ") + without_credentials(url);
    return list;
}

std::string resolver_problem(const ServerUrl& url) {
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(std::string{url.host}.c_str(), nullptr, nullptr, &found);
    const std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })> owned{found};
    return error == 0 ? std::string{} : ::gai_strerror(error);
}

}  // namespace freshet::detail::nats
