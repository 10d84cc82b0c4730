// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>
#include <vector>

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

TEST_CASE("nats-server keeps every rule of JetStream") {
    // Most of their time goes by, so several run at once.
    constexpr std::size_t threads = 6;
    const auto rules = contract::jetstream_rules();
    std::vector<contract::Verdict> verdicts(rules.size());
    std::atomic<std::size_t> next = 0;
    {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < threads; ++i) {
            workers.emplace_back([&] {
                for (auto rule = next++; rule < rules.size(); rule = next++) {
                    testing::NatsEnvironment environment{true};
                    verdicts[rule] = contract::check(rules[rule], environment);
                }
            });
        }
    }
    CHECK(contract::broken(verdicts) == "");
    for (const auto& verdict : verdicts) CHECK(verdict.kind == contract::Verdict::Kind::kept);
}
