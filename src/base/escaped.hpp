// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::detail {

/// A text to be shown, which may have any bytes.
struct Escaped {
    std::string text = {};  ///< valid UTF-8: control characters and what is no UTF-8 as \xNN
    std::size_t taken =
        0;  ///< bytes of the original that it shows: all, or less where it was cut, between two characters
};

/// Returns what can be shown of the first `limit` bytes of `text`.
Escaped escaped(std::string_view text, std::size_t limit);

}  // namespace freshet::detail
