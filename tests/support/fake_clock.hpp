// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include <freshet/clock.hpp>

namespace freshet::testing {

/// A clock that stands still until the test moves it. Tasks run inside advance, on its thread.
class FakeClock final : public Clock {
public:
    TimePoint now() const noexcept override {
        const std::lock_guard lock{mutex_};
        return now_;
    }

    TimerId schedule(TimePoint when, Task task) override {
        const std::lock_guard lock{mutex_};
        const TimerId id{when, ++last_number_};
        tasks_.emplace(id, std::move(task));
        return id;
    }

    bool cancel(TimerId id) noexcept override {
        decltype(tasks_)::node_type removed;  // destroyed without the lock
        const std::lock_guard lock{mutex_};
        removed = tasks_.extract(id);
        return !removed.empty();
    }

    void cancel_and_wait(TimerId id) noexcept override {
        if (!cancel(id)) const std::lock_guard wait{running_};
    }

    /// Runs what is due on the way, each task at its own time.
    void advance(std::chrono::nanoseconds by) { advance_to(now() + by); }

    void advance_to(TimePoint target) {
        const std::lock_guard running{running_};
        while (auto task = next_due(target)) task();
    }

    std::size_t scheduled() const {
        const std::lock_guard lock{mutex_};
        return tasks_.size();
    }

private:
    /// The next task up to `target`, with the time moved to it; empty when there is none, with the time at `target`.
    Task next_due(TimePoint target) {
        const std::lock_guard lock{mutex_};
        if (tasks_.empty() || tasks_.begin()->first.when > target) {
            now_ = target;
            return {};
        }
        auto node = tasks_.extract(tasks_.begin());
        now_ = std::max(now_, node.key().when);
        return std::move(node.mapped());
    }

    std::recursive_mutex running_;
    mutable std::mutex mutex_;
    std::map<TimerId, Task> tasks_;
    TimePoint now_{std::chrono::hours{1}};
    std::uint64_t last_number_ = 0;
};

}  // namespace freshet::testing
