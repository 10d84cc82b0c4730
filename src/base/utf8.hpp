// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace freshet::detail {

/// Returns true for UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text) noexcept;

/// Returns how many bytes at the front of `text` are valid UTF-8.
std::size_t utf8_prefix(std::string_view text) noexcept;

/// Writes a code point of Unicode, in up to 4 bytes, and returns their end. Pass no surrogate.
char* write_utf8(char* at, std::uint32_t code_point) noexcept;

/// Returns how many bytes the first character of `text` has; 0 if there is none, or if the text does not begin with
/// UTF-8.
std::size_t character_size(std::string_view text) noexcept;

/// Returns how many bytes at the front of `text` a terminal or a reader of lines would act on: those of a control
/// character, of ASCII or of those that UTF-8 has beside them (U+0080 to U+009F). 0: the first character is not one.
std::size_t control_size(std::string_view text) noexcept;

}  // namespace freshet::detail
