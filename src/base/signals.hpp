// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace freshet::detail {

/// Catches SIGINT and SIGTERM while it lives; one at a time in a process. A second signal ends the process at once with 128 + its
/// number, for a stop that does not come to an end.
class SignalWatch {
public:
    SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

    /// Blocks until a signal (its number) or wake() (0).
    int wait();
    /// From any thread.
    void wake() noexcept;

private:
    struct sigaction interrupt_ = {};  // what was there before
    struct sigaction terminate_ = {};
};

}  // namespace freshet::detail
