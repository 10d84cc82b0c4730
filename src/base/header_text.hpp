// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::detail {

/// A text of anybody's as a header value: one line, of 1,024 bytes at most, no character cut in two, no blank at either end, since
/// those do not arrive.
std::string header_text(std::string_view text);

/// `text` without spaces and tabs at either end: what arrives of a header value.
std::string_view without_blanks(std::string_view text) noexcept;

}  // namespace freshet::detail
