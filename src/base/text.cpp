// SPDX-License-Identifier: Apache-2.0
#include <freshet/text.hpp>

#include <charconv>
#include <cstddef>
#include <limits>

namespace freshet::detail {
namespace {

using Natural = unsigned long long;
constexpr auto most = std::numeric_limits<Natural>::max();
constexpr std::size_t safe_digits = std::numeric_limits<Natural>::digits10;  // whatever they are, they fit

constexpr Natural digit_of(char c) noexcept { return static_cast<unsigned char>(c - '0'); }

}  // namespace

bool parse_number(std::string_view text, Natural& out) noexcept {
    if (text.empty()) return false;
    Natural number = 0;
    for (const char c : text.substr(0, safe_digits)) {
        if (digit_of(c) > 9) return false;
        number = number * 10 + digit_of(c);
    }
    for (std::size_t i = safe_digits; i < text.size(); ++i) {
        if (digit_of(text[i]) > 9 || number > (most - digit_of(text[i])) / 10) return false;
        number = number * 10 + digit_of(text[i]);
    }
    out = number;
    return true;
}

bool parse_number(std::string_view text, long long& out) noexcept {
    const bool negative = text.starts_with('-');
    Natural size = 0;
    if (!parse_number(text.substr(negative ? 1 : 0), size)) return false;
    constexpr auto largest = static_cast<Natural>(std::numeric_limits<long long>::max());
    if (size > largest + (negative ? 1 : 0)) return false;
    out = static_cast<long long>(negative ? 0 - size : size);
    return true;
}

bool parse_number(std::string_view text, double& out) noexcept {
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && rest == end;
}

}  // namespace freshet::detail
