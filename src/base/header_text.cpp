// SPDX-License-Identifier: Apache-2.0
#include "base/header_text.hpp"

#include <algorithm>

namespace freshet::detail {
namespace {

constexpr std::size_t most = 1'024;

bool continues_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string header_text(std::string_view text) {
    auto size = std::min(text.size(), most);
    if (size < text.size())
        while (size > 0 && continues_character(text[size])) --size;
    std::string line{text.substr(0, size)};
    std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return std::string{without_blanks(line)};
}

std::string_view without_blanks(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace freshet::detail
