// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/json/failure.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"

namespace freshet::detail {
namespace {

/// Returns whether a name can stand in a path without quotes.
bool is_plain(std::string_view name) {
    return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](char c) {
        return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_' || c == '-' ||
               c == '$';
    });
}

}  // namespace

bool JsonFailure::fail(std::string what) {
    what_ = std::move(what);
    path_.clear();
    return false;
}

bool JsonFailure::at_field(std::string_view name) {
    return within(is_plain(name) ? std::string{name} : fmt::format("[{}]", quoted(name)));
}
bool JsonFailure::at_index(std::size_t index) { return within(fmt::format("[{}]", index)); }

bool JsonFailure::within(std::string step) {
    if (!path_.empty() && path_.front() != '[') step += '.';
    path_.insert(0, step);
    return false;
}

}  // namespace freshet::detail
