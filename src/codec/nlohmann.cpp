// SPDX-License-Identifier: Apache-2.0
#include <freshet/nlohmann.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace freshet::detail {
namespace {

/// Returns the text between `before` and `after`; nothing without `before`.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after) {
    const auto begin = text.find(before);
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin + before.size());
    return text.substr(0, after.empty() ? text.size() : text.find(after));
}

bool is_index(std::string_view step) {
    return !step.empty() && step.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Removes and returns the place of the error, `(/lines/2/qty) `. nlohmann gives it only with JSON_DIAGNOSTICS.
std::string_view take_pointer(std::string_view& what) {
    if (!what.starts_with("(/")) return {};
    const auto end = std::min(what.find(") "), what.size());
    const auto pointer = what.substr(1, end - 1);
    what.remove_prefix(std::min(end + 2, what.size()));
    return pointer;
}

void at_pointer(JsonFailure& failure, std::string_view pointer) {
    while (!pointer.empty()) {
        const auto slash = pointer.rfind('/');
        const auto step = pointer.substr(slash + 1);
        if (is_index(step)) failure.at_index(std::stoul(std::string{step}));
        else failure.at_field(step);
        pointer = pointer.substr(0, slash);
    }
}

}  // namespace

bool nlohmann_failure(JsonFailure& failure, std::string_view what) {
    if (what.starts_with('[')) what.remove_prefix(std::min(what.find("] ") + 2, what.size()));  // nlohmann's identifier
    const auto pointer = take_pointer(what);
    if (const auto key = between(what, "key '", "' not found")) {
        failure.fail("missing");
        failure.at_field(*key);
    } else if (const auto expected = between(what, "type must be ", ", but is ")) {
        failure.fail(fmt::format("expected {}, got {}", *expected,
                                 between(what, "but is ", "").value_or("something else")));
    } else if (const auto got = between(what, "cannot use at() with ", "")) {
        failure.fail(fmt::format("expected object, got {}", *got));
    } else {
        failure.fail(std::string{what});
    }
    at_pointer(failure, pointer);
    return false;
}

}  // namespace freshet::detail
