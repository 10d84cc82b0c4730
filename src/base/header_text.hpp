// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// Returns `text` as the value of a header: one_line() of it without blanks at either end, because clients drop those
/// when they read a header.
std::string header_text(std::string_view text);

/// Returns `text` without the characters of `blanks` at either end.
std::string_view without_blanks(std::string_view text, std::string_view blanks = " \t") noexcept;

/// Returns true if two texts differ at most in the case of ASCII letters.
bool same_but_case(std::string_view one, std::string_view other) noexcept;

}  // namespace freshet::detail
