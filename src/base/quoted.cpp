// SPDX-License-Identifier: Apache-2.0
#include "base/quoted.hpp"

#include <cstddef>

#include "base/escaped.hpp"

namespace freshet::detail {

std::string Quoted::operator()(std::string_view text) const {
    constexpr std::size_t limit = 100;
    const auto shown = escaped(text, limit);
    return '"' + shown.text + (shown.taken < text.size() ? "...\"" : "\"");
}

}  // namespace freshet::detail
