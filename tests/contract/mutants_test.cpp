// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "environments.hpp"
#include "jetstream_mutants.hpp"

using namespace freshet;

namespace {

using Mutate = std::unique_ptr<Transport> (*)(std::unique_ptr<Transport> transport, std::string_view mutation);

class MutantEnvironment final : public testing::MemoryEnvironment {
public:
    MutantEnvironment(Mutate mutate, std::string_view mutation) : mutate_{mutate}, mutation_{mutation} {}
    std::unique_ptr<Transport> connect(const BrokerOptions& options) override {
        return mutate_(MemoryEnvironment::connect(options), mutation_);
    }

private:
    Mutate mutate_;
    std::string_view mutation_;
};

contract::Rule rule_of(const std::vector<contract::Rule>& rules, std::string_view name) {
    const auto found = std::ranges::find(rules, name, &contract::Rule::name);
    REQUIRE(found != rules.end());
    return *found;
}

void check_found_out(const std::vector<contract::Rule>& rules, const testing::Mutation& mutation, Mutate mutate) {
    MutantEnvironment environment{mutate, mutation.name};
    const auto verdict = contract::check(rule_of(rules, mutation.rule), environment);
    INFO(mutation.name << ": " << mutation.rule);
    CHECK(verdict.kind == contract::Verdict::Kind::broken);
    CHECK_FALSE(verdict.why.empty());
}

}  // namespace

TEST_CASE("a transport that breaks one rule is found out by that rule") {
    for (const auto& mutation : testing::mutations()) DYNAMIC_SECTION(mutation.name) {
            check_found_out(contract::rules(), mutation, testing::mutate);
        }
}

TEST_CASE("a JetStream that breaks one rule is found out by that rule") {
    for (const auto& mutation : testing::jetstream_mutations())
        check_found_out(contract::jetstream_rules(), mutation, testing::mutate_jetstream);
}

TEST_CASE("a transport that nothing was done to is not") {
    const auto environment = [](Mutate mutate) {
        return [mutate] { return std::make_unique<MutantEnvironment>(mutate, ""); };
    };
    CHECK(contract::broken(contract::check_all(environment(testing::mutate))) == "");
    CHECK(contract::broken(contract::check_jetstream(environment(testing::mutate_jetstream))) == "");
}
