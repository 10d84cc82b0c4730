// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "environments.hpp"
#include "mutants.hpp"

using namespace freshet;

namespace {

class MutantEnvironment final : public testing::MemoryEnvironment {
public:
    explicit MutantEnvironment(std::string_view mutation) : mutation_{mutation} {}
    std::unique_ptr<Transport> connect(const BrokerOptions& options) override {
        return testing::mutate(MemoryEnvironment::connect(options), mutation_);
    }

private:
    std::string_view mutation_;
};

contract::Rule rule_of(std::string_view name) {
    const auto rules = contract::rules();
    const auto found = std::ranges::find(rules, name, &contract::Rule::name);
    REQUIRE(found != rules.end());
    return *found;
}

}  // namespace

TEST_CASE("a transport that breaks one rule is found out by that rule") {
    for (const auto& mutation : testing::mutations()) {
        DYNAMIC_SECTION(mutation.name) {
            MutantEnvironment environment{mutation.name};
            const auto verdict = contract::check(rule_of(mutation.rule), environment);
            INFO(mutation.rule);
            CHECK(verdict.kind == contract::Verdict::Kind::broken);
            CHECK_FALSE(verdict.why.empty());
        }
    }
}

TEST_CASE("a transport that nothing was done to is not") {
    const auto verdicts = contract::check_all([] { return std::make_unique<MutantEnvironment>(""); });
    CHECK(contract::broken(verdicts).empty());
}
