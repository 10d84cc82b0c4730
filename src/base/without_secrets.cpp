// SPDX-License-Identifier: Apache-2.0
#include "base/without_secrets.hpp"

#include <algorithm>
#include <cstddef>

namespace freshet::detail {
namespace {

// A seed has 58 characters. A part of one is a secret, too, and nothing else looks like it.
constexpr std::size_t least_seed = 40;
// "eyJ" is the beginning of a JSON object in base64. The shortest JWT of a user is many times longer.
constexpr std::string_view jwt_begin = "eyJ";
constexpr std::size_t least_jwt = 40;

bool is_base32(char c) { return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'); }

bool is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
}

/// Returns whether the character ends a URL that stands in a sentence or in a list.
bool ends_url(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == ','; }

template <class Predicate>
std::size_t run(std::string_view text, Predicate belongs) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

/// Returns the length of the seed or JWT at the beginning of `text`, and sets what stands for it; 0 if there is none.
std::size_t secret_at(std::string_view text, std::string_view& shown) {
    if (text.starts_with('S')) {
        const auto length = run(text, is_base32);
        shown = "(a seed)";
        return length >= least_seed ? length : 0;
    }
    if (!text.starts_with(jwt_begin)) return 0;
    const auto length = run(text, is_base64url);
    shown = "(a JWT)";
    return length >= least_jwt ? length : 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_ipv6(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}
/// Returns whether the character may follow a URL in a sentence.
bool is_punctuation(char c) { return c == ':' || c == ';' || c == '.' || c == ')'; }

/// Appends the URL whose part after "scheme://" is `rest`, without secrets. Returns how much of `rest` it was.
std::size_t append_url(std::string& out, std::string_view rest) {
    // The last "@" counts, as for cnats; a password may have any character, so it is looked for behind spaces, too.
    const auto at = rest.rfind('@');
    const auto host = at == std::string_view::npos ? 0 : at + 1;
    const auto address = rest.substr(host);
    const auto end = run(address, [](char c) { return !ends_url(c); });
    const auto shown = std::min(address.find_first_of("/?#"), end);
    out += shown_address(address.substr(0, shown));
    return host + end;
}

}  // namespace

std::string_view shown_address(std::string_view address) {
    const auto bracket = address.starts_with('[') ? address.find(']') : 0;
    const auto colon = bracket == std::string_view::npos ? 0 : address.find(':', bracket);
    if (colon == std::string_view::npos) return address;
    const auto port = address.substr(colon + 1);
    const auto digits = run(port, is_digit);
    const bool number = digits <= 5 && std::ranges::all_of(port.substr(digits), is_punctuation);
    const bool ipv6_without_brackets =
        port.find(':') != std::string_view::npos && run(address, is_of_ipv6) == address.size();
    return number || ipv6_without_brackets ? address : address.substr(0, colon);
}

std::string without_secrets(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto rest = text.substr(i);
        std::string_view shown;
        if (rest.starts_with("://")) {
            out += "://";
            // Another URL may follow: its own "@" is not this one's.
            const auto next = rest.find("://", 3);
            i += 3 + append_url(out, rest.substr(3, next == std::string_view::npos ? next : next - 3));
        } else if (const auto length = i > 0 && is_base64url(text[i - 1]) ? 0 : secret_at(rest, shown); length > 0) {
            out += shown;
            i += length;
        } else {
            out += text[i++];
        }
    }
    return out;
}

}  // namespace freshet::detail
