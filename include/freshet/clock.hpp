// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <freshet/detail/chrono.hpp>

namespace freshet {

using TimePoint = std::chrono::steady_clock::time_point;

/// Names one scheduled task of one Clock.
struct TimerId {
    TimePoint when = {};
    std::uint64_t number = 0;  ///< 0: names nothing

    friend auto operator<=>(const TimerId&, const TimerId&) = default;
};

/// The time, and tasks to run later: everything in freshet that waits takes a Clock, so that tests can move time.
/// Threads: every function may be called from any thread, also inside a task.
class Clock {
public:
    using Task = std::move_only_function<void()>;

    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    virtual TimePoint now() const noexcept = 0;

    /// Runs `task` once, at `when` or soon after, never inside this call. Tasks run one at a time in the order of their
    /// times, with no lock held; they must not throw, and must not block: all timers of the clock wait for them.
    virtual TimerId schedule(TimePoint when, Task task) = 0;

    /// True: the task will not run. False: it has run, is running now, or there is no such task. Never waits.
    virtual bool cancel(TimerId id) noexcept = 0;

    /// As cancel, and waits while the task runs: afterwards nothing it refers to is needed. Called inside a task it does
    /// not wait. Hold no lock that the task takes.
    virtual void cancel_and_wait(TimerId id) noexcept = 0;

    /// For a thread that is to block until `done()` or `deadline`. False, at once: time passes by itself, so block. True: this is a
    /// clock of tests, which the waiting thread itself has moved on, running what was due, until one of the two came.
    /// Call it with no lock held; `done` takes its own. `work` is how much of add_work is this thread's own: it does not
    /// count meanwhile. In freshet's sources detail::wait_until does all of it.
    virtual bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work = 0);

    /// Tells a clock of tests how many pieces of work threads have in hand (`change` more or fewer): it does not move on by
    /// itself while there are any.
    virtual void add_work(std::ptrdiff_t change) noexcept;
};

/// The real time, and one thread that runs the tasks, started by the first of them.
class SystemClock final : public Clock {
public:
    SystemClock();
    /// As stop().
    ~SystemClock() override;

    /// Drops the tasks that wait, and those that are scheduled from now on; waits for the one that runs, unless called inside it.
    /// The time goes on.
    void stop() noexcept;

    TimePoint now() const noexcept override;
    TimerId schedule(TimePoint when, Task task) override;
    bool cancel(TimerId id) noexcept override;
    void cancel_and_wait(TimerId id) noexcept override;

private:
    class Timers;
    std::shared_ptr<Timers> timers_;
};

}  // namespace freshet
