// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::detail {

// Relations of patterns in the server's form: tokens, `*`, `>` at the end.

/// Returns true if `pattern` matches every subject that `narrower` matches.
bool covers(std::string_view pattern, std::string_view narrower) noexcept;

/// Returns true if there is a subject that both patterns match.
bool overlap(std::string_view one, std::string_view other) noexcept;

}  // namespace freshet::detail
