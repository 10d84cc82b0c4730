// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "environments.hpp"

using namespace freshet;

TEST_CASE("the memory transport keeps every rule") {
    const auto verdicts = contract::check_all([] { return std::make_unique<testing::MemoryEnvironment>(); });
    CHECK(contract::broken(verdicts).empty());
    for (const auto& verdict : verdicts) {
        INFO(verdict.rule.name << ": " << verdict.why);
        CHECK(verdict.kind == contract::Verdict::Kind::kept);
    }
}

TEST_CASE("JetStream of the memory server keeps every rule") {
    const auto verdicts = contract::check_jetstream([] { return std::make_unique<testing::MemoryEnvironment>(); });
    CHECK(contract::broken(verdicts) == "");
    for (const auto& verdict : verdicts) CHECK(verdict.kind == contract::Verdict::Kind::kept);
}

TEST_CASE("rules have names of their own") {
    std::set<std::string_view> names;
    for (const auto& rule : contract::rules()) CHECK(names.insert(rule.name).second);
    CHECK(names.size() > 40);
    for (const auto& rule : contract::jetstream_rules()) CHECK(names.insert(rule.name).second);
    CHECK(names.size() > 100);
}
