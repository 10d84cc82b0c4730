// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "environments.hpp"

using namespace freshet;

TEST_CASE("the transport over cnats keeps every rule, with a real server") {
    for (const auto& rule : contract::rules()) {
        DYNAMIC_SECTION(rule.name) {
            testing::NatsEnvironment environment;
            const auto verdict = contract::check(rule, environment);
            INFO(verdict.rule.text << ", but " << verdict.why);
            CHECK(verdict.kind == contract::Verdict::Kind::kept);
        }
    }
}
