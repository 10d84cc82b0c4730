// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>

namespace freshet::testing {

/// Tells the TestBrokers, TestApps and Servers of this process that the running test has failed: at their end they show
/// what helps to find out why, as after an exception. For a test framework whose failed checks throw nothing, from its
/// hook for failures; <freshet/testing/catch2.hpp> does it for Catch2. May be called from any thread.
void note_failure() noexcept;

}  // namespace freshet::testing

namespace freshet::detail {

/// Knows whether the test has failed since this object was made: an exception is in flight, or a failure was noted.
class FailureProbe {
public:
    FailureProbe() noexcept;
    bool failed() const noexcept;

private:
    int exceptions_ = std::uncaught_exceptions();
    std::uint64_t noted_;
};

}  // namespace freshet::detail
