// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::detail {

/// The deepest nesting of arrays and objects, in what is read and in what is written: a hostile body must not exhaust
/// the stack.
inline constexpr std::size_t max_json_depth = 256;

/// The largest number of fields of a type.
inline constexpr std::size_t max_json_fields = 128;

/// The reason of a failure and its place in the document. The place is put together from the inside out, while the
/// calls return.
class JsonFailure {
public:
    /// Records the reason. Returns false, for the caller to pass on: `return in.fail("...")`.
    bool fail(std::string what);
    /// Adds the field in which the failure is to the place. Returns false, for the caller to pass on.
    bool at_field(std::string_view name);
    /// Adds the element in which the failure is to the place. Returns false, for the caller to pass on.
    bool at_index(std::size_t index);

    /// Returns place and reason: `lines[2].qty: expected number, got string`.
    std::string message() const { return path_.empty() ? what_ : path_ + ": " + what_; }

private:
    bool within(std::string step);

    std::string what_ = {};
    std::string path_ = {};
};

}  // namespace freshet::detail
