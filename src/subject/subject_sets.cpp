// SPDX-License-Identifier: Apache-2.0
#include "subject/subject_sets.hpp"

#include <algorithm>
#include <cstddef>

namespace freshet::detail {
namespace {

/// Removes the first token and its dot from `rest`, which is not empty, and returns the token.
std::string_view take_token(std::string_view& rest) noexcept {
    const auto token = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(token.size() + 1, rest.size()));
    return token;
}

}  // namespace

bool covers(std::string_view pattern, std::string_view narrower) noexcept {
    while (!pattern.empty() && !narrower.empty()) {
        const auto wide = take_token(pattern);
        const auto narrow = take_token(narrower);
        if (wide == ">") return true;
        if (narrow == ">") return false;
        if (wide != "*" && wide != narrow) return false;
    }
    return pattern.empty() && narrower.empty();
}

bool overlap(std::string_view one, std::string_view other) noexcept {
    while (!one.empty() && !other.empty()) {
        const auto first = take_token(one);
        const auto second = take_token(other);
        if (first == ">" || second == ">") return true;
        if (first != "*" && second != "*" && first != second) return false;
    }
    return one.empty() && other.empty();
}

}  // namespace freshet::detail
