// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// Lets through one call per second: the first, then the next that comes at least a second later. Thread-safe.
class OncePerSecond {
public:
    bool pass(TimePoint now) noexcept {
        auto next = next_.load(std::memory_order_relaxed);
        return now >= next &&
               next_.compare_exchange_strong(next, now + std::chrono::seconds{1}, std::memory_order_relaxed);
    }

private:
    std::atomic<TimePoint> next_ = TimePoint::min();
};

}  // namespace freshet::detail
