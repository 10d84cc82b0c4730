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

/// A thread that handles deliveries, known from its first delivery to its end.
class HandlingThread {
public:
    HandlingThread();
    HandlingThread(const HandlingThread&) = delete;
    HandlingThread& operator=(const HandlingThread&) = delete;
    ~HandlingThread();

    static HandlingThread& current() { return known_ != nullptr ? *known_ : make(); }

    // Called by the thread itself.
    void lock() noexcept {
        if (busy_.test_and_set(std::memory_order_acquire)) [[unlikely]]
            wait_for_lock();
    }
    void unlock() noexcept { busy_.clear(std::memory_order_release); }

    // Called by a watcher.
    bool try_look() noexcept { return !busy_.test_and_set(std::memory_order_acquire); }
    void end_look() noexcept;

    RunningDelivery* newest = nullptr;  // guarded by the lock

private:
    static HandlingThread& make();
    void wait_for_lock() noexcept;  // apart from lock(), to keep that small

    static constinit inline thread_local HandlingThread* known_ =
        nullptr;  // a plain pointer, whose access needs no guard

    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

/// A delivery that this thread handles and that somebody watches. Lives on the thread's stack, in a list with the
/// newest first. Its beginning and its end cost an atomic exchange each, and wait only while a watcher looks at this
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
    /// Returns whether `after` has passed since the watcher first saw this delivery; returns true only once. Called by
    /// the watcher, inside for_each.
    bool becomes_overdue(TimePoint now, std::chrono::nanoseconds after) noexcept;

    /// Calls `visit` for each delivery of this watcher. The delivery does not end meanwhile, so `visit` must be quick,
    /// and call nothing of a user's. Returns whether there may be any delivery: it does not wait for a thread that
    /// begins or ends one right now. When a watcher first sets a flag "not watching" and then gets false here, it
    /// misses no delivery: one that begins later sees the flag.
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
