// SPDX-License-Identifier: Apache-2.0
#include "link/broker_clock.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/callback_scope.hpp"

namespace freshet::detail {

/// Keeps the broker's tasks on a clock that others use, too. The clock gets only their numbers, so that close() can
/// drop the tasks.
class BrokerClock::Tasks {
public:
    /// The task that the clock gets. Dropping it, after it ran or was cancelled, drops the broker's task, too.
    class Ticket {
    public:
        Ticket(std::shared_ptr<Tasks> tasks, std::uint64_t number) noexcept
            : tasks_{std::move(tasks)}, number_{number} {}
        Ticket(Ticket&&) noexcept = default;
        Ticket& operator=(Ticket&&) = delete;
        ~Ticket() {
            if (tasks_ != nullptr) tasks_->drop(number_);
        }
        void operator()() { tasks_->run(number_); }

    private:
        std::shared_ptr<Tasks> tasks_;
        std::uint64_t number_;
    };

    /// Keeps a task and returns its number; 0 if close() was called, and the task is dropped.
    std::uint64_t add(Task task) {
        const std::lock_guard lock{mutex_};
        if (closed_) return 0;
        waiting_.emplace(++last_number_, std::move(task));
        return last_number_;
    }

    /// Drops the tasks that wait, and waits for the one that runs, unless a task calls it.
    void close() noexcept {
        decltype(waiting_) dropped;  // destroyed without the lock: objects of a task may use the clock when they go
        std::unique_lock lock{mutex_};
        closed_ = true;
        dropped.swap(waiting_);
        if (current_ != this) changed_.wait(lock, [this] { return running_ == 0; });
        lock.unlock();
    }

private:
    void run(std::uint64_t number) {
        decltype(waiting_)::node_type task;
        {
            const std::lock_guard lock{mutex_};
            task = waiting_.extract(number);
            if (task.empty()) return;
            ++running_;
        }
        const auto* const outer = std::exchange(current_, this);
        {
            const CallbackScope scope;
            task.mapped()();
            task = {};
        }
        current_ = outer;
        const std::lock_guard lock{mutex_};
        --running_;
        changed_.notify_all();
    }

    void drop(std::uint64_t number) noexcept {
        decltype(waiting_)::node_type dropped;
        const std::lock_guard lock{mutex_};
        dropped = waiting_.extract(number);
    }

    static inline thread_local const Tasks* current_ = nullptr;  // the tasks of which this thread runs one

    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::unordered_map<std::uint64_t, Task> waiting_ = {};
    std::uint64_t last_number_ = 0;
    int running_ = 0;
    bool closed_ = false;
};

BrokerClock::BrokerClock() : own_{std::make_shared<SystemClock>()}, clock_{own_} {}
BrokerClock::~BrokerClock() = default;

void BrokerClock::replace(std::shared_ptr<Clock> clock) {
    tasks_ = std::make_shared<Tasks>();
    clock_ = std::move(clock);
    own_ = nullptr;
}

void BrokerClock::begin() {
    if (own_ == nullptr) return;
    own_->cancel(own_->schedule(own_->now() + std::chrono::hours{1}, [] {}));  // the first task makes the thread
}

void BrokerClock::retire() noexcept {
    if (own_ != nullptr) own_->stop();
    if (tasks_ != nullptr) tasks_->close();
}

TimerId BrokerClock::schedule(TimePoint when, Task task) {
    if (tasks_ == nullptr) return clock_->schedule(when, std::move(task));
    const auto number = tasks_->add(std::move(task));
    return number == 0 ? TimerId{} : clock_->schedule(when, Tasks::Ticket{tasks_, number});
}

}  // namespace freshet::detail
