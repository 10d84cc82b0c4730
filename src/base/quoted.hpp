// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

struct Quoted {
    std::string operator()(std::string_view text) const;
};

/// `quoted(text)` returns the text in quotes for an error message: control characters are written as \xNN, and the text
/// is cut after 100 bytes. It is an object, not a function: for a std::string, argument-dependent lookup would find
/// std::quoted beside a function, and prefer it.
inline constexpr Quoted quoted{};

}  // namespace freshet::detail
