// SPDX-License-Identifier: Apache-2.0
#include "middleware/running_delivery.hpp"

#include <unordered_set>

namespace freshet::detail {
namespace {

struct AllThreads {
    std::mutex mutex = {};
    std::unordered_set<HandlingThread*> threads = {};
};

/// Never destroyed: threads may end after main.
AllThreads& all() {
    static AllThreads& all = *new AllThreads;
    return all;
}

}  // namespace

HandlingThread::HandlingThread() {
    const std::lock_guard lock{all().mutex};
    all().threads.insert(this);
}

HandlingThread::~HandlingThread() {
    const std::lock_guard lock{all().mutex};
    all().threads.erase(this);
}

HandlingThread& HandlingThread::make() {
    static thread_local HandlingThread own;
    known_ = &own;
    return own;
}

void HandlingThread::wait_for_lock() noexcept {
    do busy_.wait(true, std::memory_order_relaxed);
    while (busy_.test_and_set(std::memory_order_acquire));
}

void HandlingThread::end_look() noexcept {
    unlock();
    busy_.notify_one();
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
    const std::lock_guard lock{all().mutex};
    for (auto* const thread : all().threads) {
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
