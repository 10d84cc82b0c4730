// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace freshet {

namespace detail {

template <class T, class... Others>
concept OneOf = (std::same_as<T, Others> || ...);

template <class T>
concept TokenInteger = std::integral<T> && !OneOf<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;

}  // namespace detail

/// Satisfied by types that may fill a token of a subject: integers, and types that convert to std::string_view. bool
/// and characters may not, since it is not clear how to write them.
template <class T>
concept TokenValue = detail::TokenInteger<T> || std::convertible_to<const T&, std::string_view>;

namespace detail {

/// A value as the text of a token. The primary template views a string, which must outlive it.
template <class T>
class TokenText {
public:
    static_assert(
        TokenValue<T>,
        "freshet: a {parameter} of a subject is filled with a string or an integer. See docs/publishing.md#publishers");

    explicit TokenText(const T& text) : text_(text) {}

    std::string_view view() const noexcept { return text_; }

private:
    std::string_view text_;
};

/// Writes `value` in decimal and returns the number of characters; 20 are enough for the longest, -9223372036854775808
/// and 18446744073709551615.
std::size_t write_decimal(char (&digits)[20], std::int64_t value) noexcept;
/// Writes `value` in decimal and returns the number of characters.
std::size_t write_decimal(char (&digits)[20], std::uint64_t value) noexcept;

/// An integer as the text of a token; it keeps the digits inside.
template <TokenInteger T>
class TokenText<T> {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;

public:
    explicit TokenText(T value) noexcept : size_{write_decimal(digits_, Wide{value})} {}

    std::string_view view() const noexcept { return {digits_, size_}; }

private:
    char digits_[20];
    std::size_t size_;
};

}  // namespace detail

}  // namespace freshet
