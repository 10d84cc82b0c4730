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
    std::uint64_t number = 0;  ///< 0: no task

    friend auto operator<=>(const TimerId&, const TimerId&) = default;
};

/// Tells the time and runs tasks later. Everything in freshet that waits uses a Clock, so that tests can move time.
/// Threads: every function may be called from any thread, also inside a task.
class Clock {
public:
    using Task = std::move_only_function<void()>;

    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// Returns the current time of this clock.
    virtual TimePoint now() const noexcept = 0;

    /// Runs `task` once, at `when` or soon after, never inside this call. Tasks run one at a time in the order of their
    /// times, and the clock holds no lock meanwhile. A task must not throw and must not block, since all timers of the
    /// clock wait for it.
    virtual TimerId schedule(TimePoint when, Task task) = 0;

    /// Cancels a task and returns without waiting. True: the task will not run. False: the task has run, is running
    /// now, or does not exist.
    virtual bool cancel(TimerId id) noexcept = 0;

    /// Cancels a task, or blocks while it runs: afterwards the objects that it refers to may be destroyed. Called
    /// inside a task it does not wait. The caller must hold no lock that the task takes.
    virtual void cancel_and_wait(TimerId id) noexcept = 0;

    /// Lets a clock of tests move on while the calling thread waits for `done()` or `deadline`. Returns false at once
    /// on a clock whose time passes by itself: the caller then has to block. Returns true on a clock of tests after the
    /// calling thread has moved it on, running tasks that were due, until `done()` or `deadline` came. The caller must
    /// hold no lock; `done` takes its own. `work` is the part of add_work that belongs to the calling thread and does
    /// not count while it waits. Code inside freshet calls detail::wait_until, which does all of this.
    virtual bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work = 0);

    /// Tells a clock of tests that threads have `change` more (or fewer) pieces of work in hand. The clock does not
    /// move on by itself while there is any.
    virtual void add_work(std::ptrdiff_t change) noexcept;
};

/// The clock of the system, with one thread that runs the tasks; the first task starts that thread.
class SystemClock final : public Clock {
public:
    SystemClock();
    /// Calls stop().
    ~SystemClock() override;

    /// Drops the tasks that wait, and those that are scheduled from now on; waits for the one that runs, unless called
    /// inside it. The time goes on.
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
