// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::detail {

/// A text that was made fit to be shown.
struct Escaped {
    std::string text = {};  ///< valid UTF-8; control characters and bytes that are not UTF-8 stand as \xNN
    std::size_t taken = 0;  ///< how many bytes of the original it shows; it is cut only between two characters
};

/// Escapes `text`, which may have any bytes. Shows its first `limit` bytes at most.
Escaped escaped(std::string_view text, std::size_t limit);

}  // namespace freshet::detail
