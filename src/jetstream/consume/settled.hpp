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
};

}  // namespace freshet::detail
