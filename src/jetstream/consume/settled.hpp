// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// Counts messages that were handled and are not in hand any more.
struct Settled {
    std::size_t count = 0;
    std::size_t bytes = 0;
    TimePoint since = {};  ///< when the last of them came
    /// How many more messages are in hand of which only the confirmation of what their handlers published is awaited;
    /// negative: how many fewer.
    std::ptrdiff_t awaiting = 0;
    std::ptrdiff_t awaiting_bytes = 0;  ///< of their bodies
};

}  // namespace freshet::detail
