// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include <freshet/clock.hpp>

namespace freshet {
class Context;
}

namespace freshet::detail {

class RunningDelivery;

/// A thread that handles deliveries, from its first one to its end.
class HandlingThread {
public:
    HandlingThread();
    HandlingThread(const HandlingThread&) = delete;
    HandlingThread& operator=(const HandlingThread&) = delete;
    ~HandlingThread();

    static HandlingThread& current() { return known_ != nullptr ? *known_ : make(); }

    // For the thread itself.
    void lock() noexcept {
        if (busy_.test_and_set(std::memory_order_acquire)) [[unlikely]]
            wait_for_lock();
    }
    void unlock() noexcept { busy_.clear(std::memory_order_release); }

    // For a watcher.
    bool try_look() noexcept { return !busy_.test_and_set(std::memory_order_acquire); }
    void end_look() noexcept;

    RunningDelivery* newest = nullptr;  // with the lock

private:
    static HandlingThread& make();
    void wait_for_lock() noexcept;  // not in lock(), which would grow by it

    static constinit inline thread_local HandlingThread* known_ = nullptr;  // a plain pointer: no guard is asked

    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

/// A delivery that this thread handles and that somebody watches, as long as it lives: on the thread's stack, the
/// newest first. To begin and to end costs an atomic exchange each, and waits only while a watcher looks at this very
/// thread.
class RunningDelivery {
public:
    RunningDelivery(Context& context, const void* watcher)
        : context_{context}, watcher_{watcher}, thread_{HandlingThread::current()} {
        const std::lock_guard lock{thread_};
        outer_ = std::exchange(thread_.newest, this);
    }
    RunningDelivery(const RunningDelivery&) = delete;
    RunningDelivery& operator=(const RunningDelivery&) = delete;
    ~RunningDelivery() {
        const std::lock_guard lock{thread_};
        thread_.newest = outer_;
    }

    Context& context() const noexcept { return context_; }
    /// Whether it was seen `after` before, for the first time; true once. For the watcher, within for_each.
    bool becomes_overdue(TimePoint now, std::chrono::nanoseconds after) noexcept;

    /// Calls `visit` for each delivery of this watcher, which does not end meanwhile: it must be quick, and call
    /// nothing of a user's. Returns whether there may be any: it does not wait for a thread that begins or ends one
    /// right now. When a watcher first sets a flag "not watching" and then gets false here, no delivery is missed: one
    /// that begins later sees the flag.
    static bool for_each(const void* watcher, const std::function<void(RunningDelivery&)>& visit);

private:
    Context& context_;
    const void* const watcher_;
    HandlingThread& thread_;
    RunningDelivery* outer_ = nullptr;
    bool seen_ = false;
    bool told_ = false;
    TimePoint since_ = {};
};

}  // namespace freshet::detail
