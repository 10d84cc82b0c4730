// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <freshet/clock.hpp>

namespace freshet {
class Context;
}

namespace freshet::detail {

class HandlingThread;

/// A delivery that this thread handles and that somebody watches, as long as it lives: on the thread's stack, the
/// newest first. To begin and to end costs an atomic exchange each, and waits only while a watcher looks at this very
/// thread.
class RunningDelivery {
public:
    RunningDelivery(Context& context, const void* watcher);
    RunningDelivery(const RunningDelivery&) = delete;
    RunningDelivery& operator=(const RunningDelivery&) = delete;
    ~RunningDelivery();

    Context& context() const noexcept { return context_; }
    /// Whether it was seen `after` before, for the first time; true once. For the watcher, within for_each_running.
    bool becomes_overdue(TimePoint now, std::chrono::nanoseconds after) noexcept;

    /// Calls `visit` for each delivery of this watcher, which does not end meanwhile: quick, and without calls into a
    /// user's code. Returns whether there may be any: a thread that begins or ends one right now is not waited for. Who
    /// first says where its deliveries can see it that it has stopped to look, and is then told that there is none, has
    /// missed none: each that begins later sees what was said.
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
