// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/error.hpp>

namespace freshet::js {

/// What a counter stands at (ADR-49): a whole number of any size.
struct CounterValue {
    std::string digits = {};  ///< decimal, with a minus if negative

    /// As a number. Throws Error(Errc::bad_payload) for one that 64 bits do not hold.
    std::int64_t number() const { return value_or_raise(try_number()); }
    Expected<std::int64_t> try_number() const;
};

}  // namespace freshet::js
