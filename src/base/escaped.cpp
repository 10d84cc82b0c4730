// SPDX-License-Identifier: Apache-2.0
#include "base/escaped.hpp"

#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace freshet::detail {

Escaped escaped(std::string_view text, std::size_t limit) {
    Escaped shown;
    while (shown.taken < text.size()) {
        const auto rest = text.substr(shown.taken);
        const auto size = character_size(rest);
        const auto character = rest.substr(0, size == 0 ? 1 : size);
        if (shown.taken + character.size() > limit) break;
        if (size == 0 || control_size(rest) > 0) {
            for (const char c : character)
                fmt::format_to(std::back_inserter(shown.text), "\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            shown.text += character;
        }
        shown.taken += character.size();
    }
    return shown;
}

}  // namespace freshet::detail
