// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// A broker's clock: the system's, unless a test gave it another before the start. Who keeps a reference to it need not care.
class BrokerClock final : public Clock {
public:
    /// Not thread-safe, and only while nothing is scheduled.
    void replace(std::shared_ptr<Clock> clock) noexcept { clock_ = std::move(clock); }

    TimePoint now() const noexcept override { return clock_->now(); }
    TimerId schedule(TimePoint when, Task task) override { return clock_->schedule(when, std::move(task)); }
    bool cancel(TimerId id) noexcept override { return clock_->cancel(id); }
    void cancel_and_wait(TimerId id) noexcept override { clock_->cancel_and_wait(id); }
    bool run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work) override {
        return clock_->run_until(deadline, done, work);
    }
    void add_work(std::ptrdiff_t change) noexcept override { clock_->add_work(change); }

private:
    std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
};

}  // namespace freshet::detail
