// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>

// What the code of the pages shares.

namespace snippets {

/// A text that a page shows, without its first line break and its lines that mark the snippet.
inline std::string shown(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        if (!line.empty() && !line.starts_with("// [")) result.append(result.empty() ? "" : "\n").append(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return result;
}

/// What the exception says that `action` throws, or that it threw none.
inline std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const std::exception& error) { return error.what(); }
    return "no exception";
}

}  // namespace snippets
