// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests with Catch2 3: include it in one file of the program, and a test whose CHECK has failed shows the log lines
// that a TestBroker has held back, and keeps the files of a Server. See docs/testing.md#the-log.

#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

#include <freshet/testing/failed.hpp>

namespace freshet::testing {

/// Notes each failed assertion of Catch2.
class FailureListener final : public Catch::EventListenerBase {
public:
    using EventListenerBase::EventListenerBase;

    void assertionEnded(const Catch::AssertionStats& stats) override {
        if (!stats.assertionResult.isOk()) note_failure();
    }
};

}  // namespace freshet::testing

CATCH_REGISTER_LISTENER(freshet::testing::FailureListener)
