// SPDX-License-Identifier: Apache-2.0
#include "nats/url.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include <netdb.h>

#include <fmt/format.h>

#include <freshet/text.hpp>

#include "base/quoted.hpp"
#include "base/without_secrets.hpp"

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

/// Returns where the path, query or fragment behind host and port begins. A bracket holds an IPv6 address.
std::size_t host_end(std::string_view address) { return std::min(address.find_first_of("/?#"), address.size()); }

bool is_port(std::string_view text) { return FromText<std::uint16_t>::parse(text).value_or(0) != 0; }

bool is_host(std::string_view text) {
    return !text.empty() &&
           std::ranges::none_of(text, [](char c) { return c <= ' ' || c == '[' || c == ']' || c == '/'; });
}

int hex_digit(char c) {
    const auto digit = std::string_view{"0123456789abcdef"}.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    return digit == std::string_view::npos ? -1 : static_cast<int>(digit);
}

/// Returns the text without its percent escapes; nothing if one is broken.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

/// Returns the text with every character escaped that a URL gives a meaning to.
std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
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
    if (name_end != std::string_view::npos) url.user = userinfo.substr(0, name_end);
    url.has_token = !userinfo.empty() && name_end == std::string_view::npos;
    if (!decoded(userinfo)) return wrong("a % in its user or password is not the beginning of an escape such as %40");

    if (address.ends_with('/')) address.remove_suffix(1);
    if (host_end(address) < address.size())
        return wrong("there is text after host and port; user and password stand before the host");
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

std::string without_escapes(std::string_view text) { return decoded(text).value_or(std::string{text}); }

std::string without_scheme(const std::string& url) { return url.substr(split(url).scheme.size()); }

std::string address_of(std::string_view host, std::string_view port) {
    const bool bare_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    return bare_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string without_credentials(std::string_view url) {
    const auto parts = split(url);
    return without_secrets(std::string{parts.scheme} +
                           std::string{shown_address(parts.address.substr(0, host_end(parts.address)))});
}

std::string without_credentials(const std::vector<std::string>& urls) {
    std::string list;
    for (const auto& url : urls) list += (list.empty() ? "" : ", ") + without_credentials(url);
    return list;
}

std::string url_for_connect(std::string_view url) {
    const auto parts = split(url);
    if (parts.userinfo.empty()) return std::string{url};
    auto userinfo = parts.userinfo;
    userinfo.remove_suffix(1);
    const auto colon = userinfo.find(':');
    const auto fit = [](std::string_view text) { return encoded(json_text(without_escapes(text))); };
    auto out = std::string{parts.scheme.empty() ? "nats://" : parts.scheme} + fit(userinfo.substr(0, colon));
    if (colon != std::string_view::npos) out += ':' + fit(userinfo.substr(colon + 1));
    return out + '@' + std::string{parts.address};
}

std::string json_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (static_cast<unsigned char>(c) < ' ') out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else out += c;
    }
    return out;
}

std::string resolver_problem(const ServerUrl& url) {
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(std::string{url.host}.c_str(), nullptr, nullptr, &found);
    const std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })> owned{found};
    return error == 0 ? std::string{} : ::gai_strerror(error);
}

}  // namespace freshet::detail::nats
