// SPDX-License-Identifier: Apache-2.0
#include "base/one_line.hpp"

#include "base/utf8.hpp"

namespace freshet::detail {

std::string one_line(std::string_view text, std::size_t limit) {
    constexpr std::string_view replacement = "\xef\xbf\xbd";
    std::string line;
    while (!text.empty()) {
        const auto size = character_size(text);
        auto character = size == 0 ? replacement : text.substr(0, size);
        if (control_size(text) > 0) character = " ";
        if (line.size() + character.size() > limit) break;
        line += character;
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return line;
}

}  // namespace freshet::detail
