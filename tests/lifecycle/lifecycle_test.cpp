// SPDX-License-Identifier: Apache-2.0
// Random lives of brokers from fixed seeds. `lifecycle_stress` runs others, for hours.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "../support/wait.hpp"
#include "lifecycle.hpp"

using namespace freshet::testing;

namespace {

void live(Ground ground, std::uint64_t first, std::uint64_t last) {
    Lifecycle lifecycle{ground};
    CHECK(lifecycle.run({.seed = first, .ground = ground}).broken.empty());
    const auto threads = thread_count();  // with those that the client library keeps
    for (auto seed = first; seed <= last; ++seed) {
        INFO("seed " << seed);
        const auto report = lifecycle.run({.seed = seed, .ground = ground});
        CHECK(report.broken == std::vector<std::string>{});
        CHECK(eventually([&] { return thread_count() <= threads; }));
    }
}

}  // namespace

TEST_CASE("whatever is done to brokers in memory, their promises hold") { live(Ground::memory, 1, 4); }

TEST_CASE("whatever is done to brokers on a server, their promises hold") { live(Ground::nats, 1, 4); }
