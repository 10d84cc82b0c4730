// SPDX-License-Identifier: Apache-2.0
#include <freshet/detail/json_failure.hpp>

#include <utility>

#include <fmt/format.h>

#include "quoted.hpp"

namespace freshet::detail {

bool JsonFailure::fail(std::string what) {
    what_ = std::move(what);
    path_.clear();
    return false;
}

bool JsonFailure::at_field(std::string_view name) { return within(std::string{name}); }
bool JsonFailure::at_index(std::size_t index) { return within(fmt::format("[{}]", index)); }
bool JsonFailure::at_key(std::string_view key) { return within(fmt::format("[{}]", quoted(key))); }

bool JsonFailure::within(std::string step) {
    if (!path_.empty() && path_.front() != '[') step += '.';
    path_.insert(0, step);
    return false;
}

}  // namespace freshet::detail
