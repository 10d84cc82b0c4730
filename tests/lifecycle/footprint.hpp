// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace freshet::testing {

/// What this process holds.
struct Footprint {
    std::size_t threads = 0;
    std::size_t resident = 0;  ///< KiB of memory that are in RAM
    std::size_t in_use = 0;    ///< KiB that were allocated and not freed; 0 where a sanitizer allocates

    static Footprint now();
};

}  // namespace freshet::testing
