// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace freshet::testing {

/// Waits until `condition` holds, looking every millisecond; false when `timeout` has passed without it.
/// The timeout is only how long a failing test takes: generous, since test machines are slow at times.
template <std::predicate Condition>
bool eventually(Condition condition, std::chrono::milliseconds timeout = std::chrono::seconds{20}) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

}  // namespace freshet::testing
