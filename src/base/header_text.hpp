// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns `text` as the value of a header: one_line() of it without blanks at either end, because clients drop those
/// when they read a header.
std::string header_text(std::string_view text);

/// Returns `text` without spaces and tabs at either end.
std::string_view without_blanks(std::string_view text) noexcept;

}  // namespace freshet::detail
