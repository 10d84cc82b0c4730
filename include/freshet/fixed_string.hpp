// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace freshet {

/// A string literal as a template argument: `Path<"region">`.
template <std::size_t N>
struct FixedString {
    char data[N] = {};  ///< with the terminator; public, since the members of a template argument must be

    consteval FixedString(const char (&literal)[N]) {
        for (std::size_t i = 0; i < N; ++i) data[i] = literal[i];
    }

    /// Returns the text without its terminator.
    constexpr std::string_view view() const noexcept { return {data, N - 1}; }
};

/// The default of a parameter as a template argument: `Header<"pages", int, 1>`, `Header<"tenant", std::string,
/// "none">`.
template <class V>
struct DefaultValue {
    V value;  ///< a FixedString for a text; public, since the members of a template argument must be

    consteval DefaultValue(V given) : value{given} {}
    template <std::size_t N>
    consteval DefaultValue(const char (&literal)[N])
        requires(sizeof(V) == N)
        : value{literal} {}
};
template <class V>
DefaultValue(V) -> DefaultValue<V>;
template <std::size_t N>
DefaultValue(const char (&)[N]) -> DefaultValue<FixedString<N>>;

}  // namespace freshet
