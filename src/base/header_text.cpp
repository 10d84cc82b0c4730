// SPDX-License-Identifier: Apache-2.0
#include "base/header_text.hpp"

#include <algorithm>

#include "base/one_line.hpp"

namespace freshet::detail {

std::string header_text(std::string_view text) { return std::string{without_blanks(one_line(text))}; }

std::string_view without_blanks(std::string_view text, std::string_view blanks) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool same_but_case(std::string_view one, std::string_view other) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(one, other, {}, lower, lower);
}

}  // namespace freshet::detail
