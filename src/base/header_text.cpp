// SPDX-License-Identifier: Apache-2.0
#include "base/header_text.hpp"

#include <algorithm>

#include "base/one_line.hpp"

namespace freshet::detail {

std::string header_text(std::string_view text) { return std::string{without_blanks(one_line(text))}; }

std::string_view without_blanks(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace freshet::detail
