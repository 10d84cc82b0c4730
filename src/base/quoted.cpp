// SPDX-License-Identifier: Apache-2.0
#include "base/quoted.hpp"

#include <cstddef>
#include <iterator>

#include <fmt/format.h>

namespace freshet::detail {

std::string Quoted::operator()(std::string_view text) const {
    constexpr std::size_t limit = 100;
    std::string out = "\"";
    for (const char c : text.substr(0, limit)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        } else {
            out.push_back(c);
        }
    }
    out += text.size() > limit ? "...\"" : "\"";
    return out;
}

}  // namespace freshet::detail
