// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::detail::nats {

/// Opens cnats, once for the process. It is never closed, because messages and callbacks may outlive every broker.
/// cnats ignores SIGPIPE from then on. Throws Error(Errc::bad_setup).
void open_library();

/// Makes cnats's delivery pool, which the process has once, at least this large; 0: one thread per core, at least 2.
void grow_delivery_pool(int threads);

/// Marks this thread, while it lives, as one of cnats's inside a callback: such a thread must not wait for callbacks to
/// end.
class CallbackThread {
public:
    CallbackThread() noexcept { ++depth_; }
    CallbackThread(const CallbackThread&) = delete;
    CallbackThread& operator=(const CallbackThread&) = delete;
    ~CallbackThread() { --depth_; }

    static bool is_this() noexcept { return depth_ > 0; }

private:
    static inline thread_local int depth_ = 0;
};

/// A CallbackThread on the one of cnats's that tells of events: it must not wait for events, either.
class EventThread {
public:
    EventThread() noexcept { ++depth_; }
    EventThread(const EventThread&) = delete;
    EventThread& operator=(const EventThread&) = delete;
    ~EventThread() { --depth_; }

    static bool is_this() noexcept { return depth_ > 0; }

private:
    static inline thread_local int depth_ = 0;

    CallbackThread callback_ = {};
};

}  // namespace freshet::detail::nats
