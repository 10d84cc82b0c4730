// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// A broker's clock: the system's, unless a test replaced it before the start. References to it stay valid then. The
/// clock may outlive the broker, because threads that wait share it; tasks that were scheduled through it do not
/// outlive the broker, see retire().
class BrokerClock final : public Clock {
public:
    BrokerClock();
    ~BrokerClock() override;

    /// Replaces the system's clock. Not thread-safe; call it only while nothing is scheduled.
    void replace(std::shared_ptr<Clock> clock);
    /// Makes the thread that runs the tasks: later, where it is missed, nothing could be done about it. Throws
    /// std::system_error if there is none.
    void begin();
    /// Drops the tasks that wait and those that are scheduled from now on; blocks until the running one has returned,
    /// unless that one calls it. now() goes on working. The end of the broker calls it before anything is destroyed,
    /// because tasks refer to the broker.
    void retire() noexcept;

    TimePoint now() const noexcept override { return clock_->now(); }
    TimerId schedule(TimePoint when, Task task) override;
    bool cancel(TimerId id) noexcept override { return clock_->cancel(id); }
    void cancel_and_wait(TimerId id) noexcept override { clock_->cancel_and_wait(id); }
    bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work) override {
        return clock_->run_until(deadline, done, work);
    }
    void add_work(std::ptrdiff_t change) noexcept override { clock_->add_work(change); }

private:
    class Tasks;

    std::shared_ptr<SystemClock> own_;  // null after replace()
    std::shared_ptr<Clock> clock_;
    std::shared_ptr<Tasks> tasks_ = {};  // null before replace(): the clock is then the broker's alone
};

}  // namespace freshet::detail
