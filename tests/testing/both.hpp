// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <catch2/generators/catch_generators.hpp>

#include <freshet/testing.hpp>
#include <freshet/testing/server.hpp>

#include "../support/log_lines.hpp"
#include "../support/wait.hpp"

namespace freshet::testing {

/// Runs a test case twice: in memory, and on a nats-server. For TEST_CASE_METHOD.
class Both {
public:
    LogLines log = {};
    Broker broker{{.logger = log.logger()}};

    TestBroker& start() {
        if (real()) return test_.emplace(broker, server_.emplace(ServerOptions{.jetstream = true}));
        return test_.emplace(broker);
    }
    bool real() const noexcept { return real_; }

    /// Lets time pass until `done`; in memory `by` at a time.
    template <class Done>
    bool pass_until(Done done, std::chrono::milliseconds by = std::chrono::milliseconds{100}) {
        if (real()) return eventually(done);
        for (int i = 0; i < 1'000 && !done(); ++i) test_->advance(by);
        return done();
    }

private:
    const bool real_ = GENERATE(false, true);
    std::optional<Server> server_ = {};
    std::optional<TestBroker> test_ = {};  // stops the broker before it ends
};

}  // namespace freshet::testing
