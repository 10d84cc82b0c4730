// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

// What the names and versions of services may be (ADR-32), so that `nats micro` and other clients accept them.
namespace freshet::detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_service_character(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/// Returns true for a name that a service or an endpoint may have: letters, digits, `-` and `_`.
constexpr bool is_service_name(std::string_view name) noexcept {
    for (const char c : name)
        if (!is_service_character(c)) return false;
    return !name.empty();
}

/// Returns true if endpoint_name() finds a name in the subject.
constexpr bool has_endpoint_name(std::string_view subject) noexcept {
    for (const char c : subject)
        if (is_service_character(c)) return true;
    return false;
}

/// Returns true for a number without leading zeros.
constexpr bool is_version_number(std::string_view text) noexcept {
    for (const char c : text)
        if (!is_digit(c)) return false;
    return !text.empty() && (text.size() == 1 || text[0] != '0');
}

/// Returns true for identifiers with dots between them. Numbers must not have leading zeros, if `numbers` says so.
constexpr bool are_version_identifiers(std::string_view text, bool numbers) noexcept {
    while (true) {
        const auto dot = text.find('.');
        const auto one = text.substr(0, dot);
        bool is_number = true;
        for (const char c : one) {
            if (!is_service_character(c) || c == '_') return false;
            is_number = is_number && is_digit(c);
        }
        if (one.empty() || (numbers && is_number && !is_version_number(one))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

/// Returns true for a version as Semantic Versioning 2.0 has it: `1.2.3`, `1.2.3-rc.1+build.7`.
constexpr bool is_semantic_version(std::string_view text) noexcept {
    if (const auto plus = text.find('+'); plus != std::string_view::npos) {
        if (!are_version_identifiers(text.substr(plus + 1), false)) return false;
        text = text.substr(0, plus);
    }
    if (const auto minus = text.find('-'); minus != std::string_view::npos) {
        if (!are_version_identifiers(text.substr(minus + 1), true)) return false;
        text = text.substr(0, minus);
    }
    for (int part = 0; part < 2; ++part) {
        const auto dot = text.find('.');
        if (dot == std::string_view::npos || !is_version_number(text.substr(0, dot))) return false;
        text.remove_prefix(dot + 1);
    }
    return is_version_number(text);
}

}  // namespace freshet::detail
