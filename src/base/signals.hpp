// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace freshet::detail {

/// Catches SIGINT and SIGTERM while it lives; there can be one at a time in a process. A second signal ends the process
/// at once with 128 + its number, in case a stop does not come to an end.
class SignalWatch {
public:
    SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

    /// Blocks until a signal, and returns its number, or until wake(), and returns 0.
    int wait();
    /// Makes wait() return. May be called from any thread.
    void wake() noexcept;

private:
    struct sigaction interrupt_ = {};  // the actions before this object
    struct sigaction terminate_ = {};
};

}  // namespace freshet::detail
