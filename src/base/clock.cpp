// SPDX-License-Identifier: Apache-2.0
#include <freshet/clock.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/callback_scope.hpp"

namespace freshet {

bool Clock::run_until(TimePoint, const std::function<bool()>&, std::ptrdiff_t) { return false; }
void Clock::add_work(std::ptrdiff_t) noexcept {}

/// Shared with its thread: the last owner of a clock may be a task.
class SystemClock::Timers : public std::enable_shared_from_this<Timers> {
public:
    void stop() noexcept {
        std::thread thread;
        decltype(tasks_) dropped;  // destroyed without the lock: what a task owns may use the clock when it goes
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            thread.swap(thread_);
            dropped.swap(tasks_);
            changed_.notify_one();
        }
        if (!thread.joinable()) return;
        if (thread.get_id() == std::this_thread::get_id()) thread.detach();
        else thread.join();
    }

    TimerId add(TimePoint when, Task task) {
        const std::lock_guard lock{mutex_};
        if (stopping_) return {};
        if (!thread_.joinable()) thread_ = std::thread{[self = shared_from_this()] { self->run(); }};
        const TimerId id{when, ++last_number_};
        const auto added = tasks_.emplace(id, std::move(task)).first;
        if (added == tasks_.begin()) changed_.notify_one();
        return id;
    }

    bool remove(TimerId id) {
        decltype(tasks_)::node_type removed;  // destroyed without the lock: objects of the task may use the clock
        const std::lock_guard lock{mutex_};
        removed = tasks_.extract(id);
        return !removed.empty();
    }

    void remove_and_wait(TimerId id) {
        if (id.number == 0 || remove(id)) return;
        std::unique_lock lock{mutex_};
        if (runner_ == std::this_thread::get_id()) return;
        finished_.wait(lock, [&] { return running_ != id; });
    }

private:
    void run() noexcept {
        std::unique_lock lock{mutex_};
        runner_ = std::this_thread::get_id();
        while (!stopping_) {
            if (tasks_.empty()) {
                changed_.wait(lock);
            } else if (const auto first = tasks_.begin()->first.when; first > std::chrono::steady_clock::now()) {
                changed_.wait_until(lock, first);
            } else {
                run_first(lock);
            }
        }
    }

    void run_first(std::unique_lock<std::mutex>& lock) {
        auto node = tasks_.extract(tasks_.begin());
        running_ = node.key();
        lock.unlock();
        {
            const detail::NoWaitScope scope;
            node.mapped()();
            node = {};  // what the task owns goes before cancel_and_wait returns
        }
        lock.lock();
        running_ = {};
        finished_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable finished_;
    std::map<TimerId, Task> tasks_;
    TimerId running_ = {};
    std::thread::id runner_ = {};
    std::uint64_t last_number_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

SystemClock::SystemClock() : timers_{std::make_shared<Timers>()} {}
SystemClock::~SystemClock() { timers_->stop(); }
void SystemClock::stop() noexcept { timers_->stop(); }

TimePoint SystemClock::now() const noexcept { return std::chrono::steady_clock::now(); }
TimerId SystemClock::schedule(TimePoint when, Task task) { return timers_->add(when, std::move(task)); }
bool SystemClock::cancel(TimerId id) noexcept { return timers_->remove(id); }
void SystemClock::cancel_and_wait(TimerId id) noexcept { timers_->remove_and_wait(id); }

}  // namespace freshet
