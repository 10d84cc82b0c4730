// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/virtual_clock.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace freshet::testing {
namespace {

// How long a thread that can do nothing sleeps before it looks again. It may wait for a thread of the test's own, which
// wakes nobody.
constexpr std::chrono::milliseconds idle_poll{5};

}  // namespace

class VirtualClock::State {
public:
    /// What a call of run_until does when its deadline has come.
    enum class At : std::uint8_t {
        leave,
        let_work_end,  ///< goes on until no thread works
    };

    /// A call of run_until that waits.
    struct Waiter {
        std::thread::id thread;
        TimePoint deadline;
        std::uint64_t looked_at = 0;  // the value of changes_ before the thread last called done()
        Waiter* outer = nullptr;      // the call of this thread that runs the task which waits here
        bool covered = false;         // whether it is the outer call of another one
    };

    ~State() {
        std::exchange(tasks_, {});  // an object that a task owns may use the clock in its destructor
    }

    TimePoint now() const {
        const std::lock_guard lock{mutex_};
        return now_;
    }

    TimerId add(TimePoint when, Task task) {
        const std::lock_guard lock{mutex_};
        const TimerId id{when, ++last_number_};
        tasks_.emplace(id, std::move(task));
        changed_.notify_all();
        return id;
    }

    bool remove(TimerId id) {
        decltype(tasks_)::node_type removed;  // declared before the lock, so destroyed after the unlock
        const std::lock_guard lock{mutex_};
        removed = tasks_.extract(id);
        return !removed.empty();
    }

    void wait_while_running(TimerId id) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return runner_ == std::this_thread::get_id() || !std::ranges::count(running_, id); });
    }

    void add_work(std::ptrdiff_t change) {
        const std::lock_guard lock{mutex_};
        work_ += change;
        ++changes_;
        changed_.notify_all();
    }

    void run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t own_work, At at_deadline) {
        Waiter waiter{.thread = std::this_thread::get_id(), .deadline = deadline};
        std::unique_lock lock{mutex_};
        enter(waiter, own_work);
        while (true) {
            waiter.looked_at = changes_;
            lock.unlock();
            const bool stop = done();
            lock.lock();
            if (stop || !step(lock, waiter, at_deadline)) break;
        }
        leave(waiter, own_work);
    }

    std::size_t scheduled() const {
        const std::lock_guard lock{mutex_};
        return tasks_.size();
    }

private:
    void enter(Waiter& waiter, std::ptrdiff_t own_work) {
        for (auto* other : waiters_) {
            if (other->thread != waiter.thread || other->covered) continue;
            other->covered = true;
            waiter.outer = other;
        }
        waiters_.push_back(&waiter);
        work_ -= own_work;
        ++changes_;
        changed_.notify_all();
    }

    void leave(Waiter& waiter, std::ptrdiff_t own_work) {
        std::erase(waiters_, &waiter);
        if (waiter.outer != nullptr) waiter.outer->covered = false;
        work_ += own_work;
        ++changes_;
        changed_.notify_all();
    }

    /// Does one step towards done() or the deadline. Returns false when the deadline has come and nothing is due.
    bool step(std::unique_lock<std::mutex>& lock, const Waiter& waiter, At at_deadline) {
        if (!running_.empty() && runner_ != waiter.thread) {
            // The running task may itself wait for a time beyond this deadline.
            if (now_ >= waiter.deadline && (at_deadline == At::leave || (work_ <= 0 && runner_waits()))) return false;
            return pause(lock);
        }
        if (!tasks_.empty() && tasks_.begin()->first.when <= now_) return run_first(lock);
        if (now_ >= waiter.deadline && (at_deadline == At::leave || is_idle(waiter))) return false;
        if (work_ > 0 || !all_looked(waiter)) return pause(lock);
        const auto next = next_time();
        if (next == TimePoint::max()) return pause(lock);
        now_ = next;
        ++changes_;
        changed_.notify_all();
        return true;
    }

    bool pause(std::unique_lock<std::mutex>& lock) {
        changed_.wait_for(lock, idle_poll);
        return true;
    }

    /// Returns whether each waiting thread has looked at the latest change. Then no thread has anything to do at this
    /// time.
    bool all_looked(const Waiter& self) const {
        return std::ranges::all_of(waiters_, [&](const Waiter* other) {
            return other == &self || other->covered || (other->looked_at == changes_ && other->deadline > now_);
        });
    }

    /// Returns whether no thread works, and each that waits has looked at the latest change in vain.
    bool is_idle(const Waiter& self) const {
        return work_ <= 0 && std::ranges::all_of(waiters_, [&](const Waiter* other) {
                   return other == &self || other->covered || other->looked_at == changes_;
               });
    }

    /// Returns whether the task that runs waits, and has looked at the latest change in vain.
    bool runner_waits() const {
        return std::ranges::any_of(waiters_, [&](const Waiter* other) {
            return other->thread == runner_ && !other->covered && other->looked_at == changes_;
        });
    }

    TimePoint next_time() const {
        auto next = tasks_.empty() ? TimePoint::max() : tasks_.begin()->first.when;
        for (const auto* waiter : waiters_)
            if (!waiter->covered) next = std::min(next, waiter->deadline);
        return next;
    }

    bool run_first(std::unique_lock<std::mutex>& lock) {
        auto node = tasks_.extract(tasks_.begin());
        runner_ = std::this_thread::get_id();
        running_.push_back(node.key());
        lock.unlock();
        node.mapped()();
        node.mapped() = nullptr;  // destroys what the task owns before cancel_and_wait returns
        lock.lock();
        running_.pop_back();
        ++changes_;
        changed_.notify_all();
        return true;
    }

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::map<TimerId, Task> tasks_ = {};
    TimePoint now_{std::chrono::hours{1}};
    std::uint64_t last_number_ = 0;
    std::vector<TimerId> running_ = {};  // with the innermost last; all on one thread
    std::thread::id runner_ = {};
    std::vector<Waiter*> waiters_ = {};
    std::ptrdiff_t work_ = 0;
    std::uint64_t changes_ = 0;
};

VirtualClock::VirtualClock() : state_{std::make_unique<State>()} {}
VirtualClock::~VirtualClock() = default;

TimePoint VirtualClock::now() const noexcept { return state_->now(); }
TimerId VirtualClock::schedule(TimePoint when, Task task) { return state_->add(when, std::move(task)); }
bool VirtualClock::cancel(TimerId id) noexcept { return state_->remove(id); }

void VirtualClock::cancel_and_wait(TimerId id) noexcept {
    if (!state_->remove(id)) state_->wait_while_running(id);
}

bool VirtualClock::run_until(TimePoint deadline, const std::function<bool()>& done, std::ptrdiff_t work) {
    state_->run_until(deadline, done, work, State::At::leave);
    return true;
}

void VirtualClock::add_work(std::ptrdiff_t change) noexcept { state_->add_work(change); }

void VirtualClock::advance(std::chrono::nanoseconds by) { advance_to(now() + by); }
void VirtualClock::advance_to(TimePoint target) {
    state_->run_until(target, [] { return false; }, 0, State::At::let_work_end);
}
void VirtualClock::run() { advance_to(now()); }

std::size_t VirtualClock::scheduled() const { return state_->scheduled(); }

}  // namespace freshet::testing
