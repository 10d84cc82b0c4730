// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::detail {

/// How deep arrays and objects may nest, in what is read and in what is written: a hostile body must not exhaust the stack.
inline constexpr std::size_t max_json_depth = 256;

/// What went wrong, and where. The place is put together from the inside out, while the calls return.
class JsonFailure {
public:
    /// Each returns false, to be passed on: `return in.fail("...")`.
    bool fail(std::string what);
    bool at_field(std::string_view name);
    bool at_index(std::size_t index);

    /// `lines[2].qty: expected number, got string`
    std::string message() const { return path_.empty() ? what_ : path_ + ": " + what_; }

private:
    bool within(std::string step);

    std::string what_ = {};
    std::string path_ = {};
};

}  // namespace freshet::detail
