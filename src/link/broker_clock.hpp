// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// A broker's clock: the system's, unless a test gave it another before the start. Who keeps a reference to it need not
/// care. It may outlive the broker, since those who wait share it; the tasks scheduled through it do not: see retire().
class BrokerClock final : public Clock {
public:
    BrokerClock();
    ~BrokerClock() override;

    /// Not thread-safe, and only while nothing is scheduled.
    void replace(std::shared_ptr<Clock> clock);
    /// Drops the tasks that wait, and those that are scheduled from now on; waits for the one that runs, unless called
    /// inside it. The time goes on. Tasks refer to the broker: its end calls this before anything of it goes.
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

    std::shared_ptr<SystemClock> own_;  // null once it is replaced
    std::shared_ptr<Clock> clock_;
    std::shared_ptr<Tasks> tasks_ = {};  // on a clock that is not the broker's alone
};

}  // namespace freshet::detail
