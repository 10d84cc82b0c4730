// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace freshet::detail {

// Of patterns as the server knows them: tokens, `*`, `>` at the end.

/// Whether `pattern` matches every subject that `narrower` matches.
bool covers(std::string_view pattern, std::string_view narrower) noexcept;

/// Whether there is a subject that both match.
bool overlap(std::string_view one, std::string_view other) noexcept;

}  // namespace freshet::detail
