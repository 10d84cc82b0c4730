// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/error.hpp>

namespace freshet::js {

/// The value of a counter: a whole number of any size (ADR-49).
struct CounterValue {
    std::string digits = {};  ///< decimal digits, with a minus sign if negative

    /// Returns the value as a number. Throws Errc::bad_payload if it does not fit into 64 bits.
    std::int64_t number() const { return value_or_raise(try_number()); }
    Expected<std::int64_t> try_number() const;
};

}  // namespace freshet::js
