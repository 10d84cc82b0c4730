// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/metrics.hpp>

namespace freshet::testing {

/// Returns the value of the line that begins with `series` and a blank; empty if there is none.
inline std::string value_of(const std::string& text, const std::string& series) {
    const auto line = "\n" + series + " ";
    const auto found = text.find(line);
    if (found == std::string::npos) return {};
    const auto begin = found + line.size();
    return text.substr(begin, text.find('\n', begin) - begin);
}
inline std::string value_of(const Metrics& metrics, const std::string& series) {
    return value_of(metrics.text(), series);
}

/// Returns how many lines contain `part`.
inline std::size_t lines_with(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = text.find('\n', begin);
        if (std::string_view{text}.substr(begin, end - begin).find(part) != std::string_view::npos) ++count;
        begin = end + 1;
    }
    return count;
}

}  // namespace freshet::testing
