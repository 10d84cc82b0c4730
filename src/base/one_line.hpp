// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns `text` as one line of valid UTF-8, of `limit` bytes at most, for a header's value. Control characters become
/// spaces, each byte that is not UTF-8 becomes U+FFFD, and no character is cut in two.
std::string one_line(std::string_view text, std::size_t limit = 1'024);

}  // namespace freshet::detail
