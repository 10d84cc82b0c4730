// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <freshet/clock.hpp>

namespace freshet::testing {

/// A clock that stands still until it is moved: by advance(), or by a thread that waits for something. Such a thread
/// runs what is due, and then moves the time to the next task or to its own deadline. So nothing sleeps. Tasks run in
/// the order of their times, one at a time, on the thread that moves the clock. Tasks for the same time run in the
/// order in which they were scheduled. The time does not move while other threads have work in hand.
///
/// Every function may be called from any thread, also inside a task.
class VirtualClock final : public Clock {
public:
    VirtualClock();
    ~VirtualClock() override;

    /// Returns the time. It begins an hour after the epoch.
    TimePoint now() const noexcept override;
    TimerId schedule(TimePoint when, Task task) override;
    bool cancel(TimerId id) noexcept override;
    void cancel_and_wait(TimerId id) noexcept override;
    bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work = 0) override;
    void add_work(std::ptrdiff_t change) noexcept override;

    /// Moves the time on by `by`, and runs what becomes due, each task at its own time.
    void advance(std::chrono::nanoseconds by);
    /// Moves the time on to `target`, and runs what becomes due, each task at its own time.
    void advance_to(TimePoint target);
    /// Runs what is due now, and blocks until threads have finished their work in hand. The time stands still.
    void run();

    /// Returns how many tasks wait for their time.
    std::size_t scheduled() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace freshet::testing
