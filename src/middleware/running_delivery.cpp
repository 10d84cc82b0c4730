// SPDX-License-Identifier: Apache-2.0
#include "middleware/running_delivery.hpp"

#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace freshet::detail {

/// A thread that handles deliveries, from its first one to its end.
class HandlingThread {
public:
    HandlingThread() {
        const std::lock_guard lock{all().mutex};
        all().threads.insert(this);
    }
    HandlingThread(const HandlingThread&) = delete;
    HandlingThread& operator=(const HandlingThread&) = delete;
    ~HandlingThread() {
        const std::lock_guard lock{all().mutex};
        all().threads.erase(this);
    }

    static HandlingThread& current() { return known_ != nullptr ? *known_ : make(); }

    struct All {
        std::mutex mutex = {};
        std::unordered_set<HandlingThread*> threads = {};
    };
    /// Never destroyed: threads may end after main.
    static All& all() {
        static All& all = *new All;
        return all;
    }

    // For the thread itself.
    void lock() noexcept {
        while (busy_.test_and_set(std::memory_order_acquire)) busy_.wait(true, std::memory_order_relaxed);
    }
    void unlock() noexcept { busy_.clear(std::memory_order_release); }

    // For a watcher.
    bool try_look() noexcept { return !busy_.test_and_set(std::memory_order_acquire); }
    void end_look() noexcept {
        unlock();
        busy_.notify_one();
    }

    RunningDelivery* newest = nullptr;  // with the lock

private:
    static HandlingThread& make() {
        static thread_local HandlingThread own;
        known_ = &own;
        return own;
    }

    static constinit inline thread_local HandlingThread* known_ =
        nullptr;  // a plain pointer: no guard is asked at each use

    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

RunningDelivery::RunningDelivery(Context& context, const void* watcher)
    : context_{context}, watcher_{watcher}, thread_{HandlingThread::current()} {
    const std::lock_guard lock{thread_};
    outer_ = std::exchange(thread_.newest, this);
}

RunningDelivery::~RunningDelivery() {
    const std::lock_guard lock{thread_};
    thread_.newest = outer_;
}

bool RunningDelivery::becomes_overdue(TimePoint now, std::chrono::nanoseconds after) noexcept {
    if (!std::exchange(seen_, true)) since_ = now;
    return !told_ && now - since_ >= after && !std::exchange(told_, true);
}

bool RunningDelivery::for_each(const void* watcher, const std::function<void(RunningDelivery&)>& visit) {
    struct Look {
        HandlingThread& thread;
        ~Look() { thread.end_look(); }
    };
    bool any = false;
    const std::lock_guard lock{HandlingThread::all().mutex};
    for (auto* const thread : HandlingThread::all().threads) {
        if (!thread->try_look()) {
            any = true;
            continue;
        }
        const Look look{*thread};
        for (auto* delivery = thread->newest; delivery != nullptr; delivery = delivery->outer_) {
            if (delivery->watcher_ != watcher) continue;
            any = true;
            visit(*delivery);
        }
    }
    return any;
}

}  // namespace freshet::detail
