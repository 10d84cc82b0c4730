// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace freshet {

/// Customisation point: how a subject token or a header value becomes a T. A specialisation of yours looks like
/// `template <> struct freshet::FromText<Color> { static std::optional<Color> parse(std::string_view); };` and returns
/// nothing for a text that is not a T.
template <class T>
struct FromText {};

namespace detail {

// Reads a number. Returns false unless the whole text is the number: no spaces, no rest.
bool parse_number(std::string_view text, long long& out) noexcept;
bool parse_number(std::string_view text, unsigned long long& out) noexcept;
bool parse_number(std::string_view text, double& out) noexcept;

}  // namespace detail

template <>
struct FromText<std::string_view> {
    static std::optional<std::string_view> parse(std::string_view text) noexcept { return text; }
};

template <>
struct FromText<std::string> {
    static std::optional<std::string> parse(std::string_view text) { return std::string{text}; }
};

template <>
struct FromText<bool> {
    static std::optional<bool> parse(std::string_view text) noexcept {
        if (text == "true" || text == "1") return true;
        if (text == "false" || text == "0") return false;
        return std::nullopt;
    }
};

template <std::integral T>
struct FromText<T> {
    static std::optional<T> parse(std::string_view text) noexcept {
        std::conditional_t<std::is_signed_v<T>, long long, unsigned long long> wide{};
        if (!detail::parse_number(text, wide)) return std::nullopt;
        if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) return std::nullopt;
        return static_cast<T>(wide);
    }
};

template <std::floating_point T>
struct FromText<T> {
    static std::optional<T> parse(std::string_view text) noexcept {
        double wide{};
        if (!detail::parse_number(text, wide)) return std::nullopt;
        return static_cast<T>(wide);
    }
};

/// Satisfied by types that a token or a header value can be parsed to.
template <class T>
concept ParsableText = requires(std::string_view text) {
    { FromText<T>::parse(text) } -> std::same_as<std::optional<T>>;
};

namespace detail {

/// Returns the name of T for error messages: "int", "acme::Color".
template <class T>
constexpr std::string_view type_name() noexcept {
    const std::string_view raw = __PRETTY_FUNCTION__;
    const auto begin = raw.find("T = ") + 4;
    const auto end = raw.find_first_of(";]", begin);
    return raw.substr(begin, end - begin);
}

}  // namespace detail
}  // namespace freshet
