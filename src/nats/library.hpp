// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::detail::nats {

/// Opens cnats, once for the process; nobody closes it, since messages and callbacks may outlive whoever asked.
/// From then on SIGPIPE is ignored: cnats does that. Throws Error(Errc::bad_setup).
void open_library();

/// Makes cnats's delivery pool, which is the process's, at least this large; 0: one thread per core, at least 2.
void grow_delivery_pool(int threads);

/// While it lives, this thread is one of cnats's inside a callback: it must not wait for callbacks to end.
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
