// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <freshet/clock.hpp>

namespace freshet::testing {

/// A clock that stands still until it is moved: by advance, or by a thread that waits for something, which runs what is due
/// and then moves the time to the next task or to its own deadline. So nothing sleeps, and tasks run in the order of their
/// times, one at a time, on the thread that moves the clock; what was scheduled for the same time, in the order it was
/// scheduled. While other threads have work in hand the time does not move on.
/// Threads: every function may be called from any thread, also inside a task.
class VirtualClock final : public Clock {
public:
    VirtualClock();
    ~VirtualClock() override;

    /// An hour after the epoch at first.
    TimePoint now() const noexcept override;
    TimerId schedule(TimePoint when, Task task) override;
    bool cancel(TimerId id) noexcept override;
    void cancel_and_wait(TimerId id) noexcept override;
    bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work = 0) override;
    void add_work(std::ptrdiff_t change) noexcept override;

    /// Moves the time on, and runs what is due on the way, each task at its own time.
    void advance(std::chrono::nanoseconds by);
    void advance_to(TimePoint target);
    /// Runs what is due now and waits for work that threads have in hand; the time stands still.
    void run();

    /// Tasks that wait for their time.
    std::size_t scheduled() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace freshet::testing
