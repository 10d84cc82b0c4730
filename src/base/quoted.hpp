// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

struct Quoted {
    std::string operator()(std::string_view text) const;
};

/// `quoted(text)`: the text in quotes, for an error's message: control characters and what is no UTF-8 as \xNN, cut
/// after 100 bytes at most, between two characters. An object, not a function: beside one, std::quoted would be found
/// for a std::string, and would be the better match.
inline constexpr Quoted quoted{};

}  // namespace freshet::detail
