// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include <freshet/clock.hpp>

#include "base/callback_scope.hpp"
#include "base/depth_scope.hpp"

namespace freshet::detail {

/// The longest timeout; a longer one is cut to it, so that adding it to a time does not overflow.
inline constexpr std::chrono::milliseconds longest_timeout{std::chrono::hours{24 * 365}};

/// Marks, while it lives, that this thread does work for a broker, which a clock of tests waits for. While the thread
/// waits, its work does not count.
class WorkScope : public DepthScope<WorkScope> {};

/// Lets a clock of tests move on until `done()` or `deadline` and returns true; returns false at once for a real clock.
/// Code that runs meanwhile in this thread runs as if outside of the handler that waits.
inline bool run_until(Clock& clock, TimePoint deadline, const std::function<bool()>& done) {
    const OutsideScope outside;
    const WorkScope::Outside paused;
    return clock.run_until(deadline, done, paused.depth());
}

/// Blocks until `done()`, which `lock` guards and `changed` announces, or until `deadline` of `clock`
/// (TimePoint::max(): no deadline). Returns done(). Every wait in freshet uses this function, so that tests can move
/// time.
template <class Done>
bool wait_until(Clock& clock, std::unique_lock<std::mutex>& lock, std::condition_variable& changed, TimePoint deadline,
                Done done) {
    if (done()) return true;
    auto& mutex = *lock.mutex();
    lock.unlock();
    const bool moved = run_until(clock, deadline, [&] {
        const std::lock_guard guard{mutex};
        return done();
    });
    lock.lock();
    if (moved) return done();
    if (deadline != TimePoint::max()) return changed.wait_until(lock, deadline, done);
    changed.wait(lock, done);
    return true;
}

/// Blocks until `done()`, which `lock` guards and `changed` announces.
template <class Done>
void wait(Clock& clock, std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Done done) {
    wait_until(clock, lock, changed, TimePoint::max(), done);
}

/// Blocks for `time` of `clock`.
inline void pause(Clock& clock, std::chrono::nanoseconds time) {
    std::mutex mutex;
    std::unique_lock lock{mutex};
    std::condition_variable never;
    wait_until(clock, lock, never, clock.now() + time, [] { return false; });
}

}  // namespace freshet::detail
