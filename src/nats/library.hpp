// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <freshet/error.hpp>

namespace freshet::detail::nats {

/// Opens cnats, once for the process; nobody closes it, since messages and callbacks may outlive whoever asked.
/// From then on SIGPIPE is ignored: cnats does that. Throws Error(Errc::bad_setup).
void open_library();

/// Makes cnats's delivery pool, which is the process's, at least this large; 0: one thread per core, at least 2.
void grow_delivery_pool(int threads);

/// True in a process that was forked after cnats was opened. cnats's threads did not come along, so that nothing works
/// there: what is published is lost without an error.
bool forked() noexcept;

/// The error that tells so.
Error forked_error(const char* what);

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

}  // namespace freshet::detail::nats
