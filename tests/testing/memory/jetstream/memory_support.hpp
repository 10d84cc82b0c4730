// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <freshet/testing.hpp>

namespace freshet::testing {

/// In memory, or for real: the same test runs over both.
inline std::unique_ptr<TestBroker> test_of(Broker& broker, bool real) {
    if (real) return std::make_unique<TestBroker>(broker, with_server);
    return std::make_unique<TestBroker>(broker);
}

/// Lets time pass until the condition holds, for some seconds at most.
inline bool comes(TestBroker& test, const std::function<bool()>& condition) {
    using namespace std::chrono_literals;
    for (int i = 0; i < 500; ++i) {
        if (condition()) return true;
        test.advance(20ms);
    }
    return condition();
}

}  // namespace freshet::testing
