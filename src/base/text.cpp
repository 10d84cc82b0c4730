// SPDX-License-Identifier: Apache-2.0
#include <freshet/text.hpp>

#include <charconv>
#include <limits>

namespace freshet::detail {
namespace {

constexpr auto most = std::numeric_limits<unsigned long long>::max();

}  // namespace

bool parse_number(std::string_view text, unsigned long long& out) noexcept {
    if (text.empty()) return false;
    unsigned long long number = 0;
    for (const char c : text) {
        const auto digit = static_cast<unsigned char>(c - '0');
        if (digit > 9 || number > most / 10 || (number == most / 10 && digit > most % 10)) return false;
        number = number * 10 + digit;
    }
    out = number;
    return true;
}

bool parse_number(std::string_view text, long long& out) noexcept {
    const bool negative = text.starts_with('-');
    unsigned long long size = 0;
    if (!parse_number(text.substr(negative ? 1 : 0), size)) return false;
    constexpr auto largest = static_cast<unsigned long long>(std::numeric_limits<long long>::max());
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
