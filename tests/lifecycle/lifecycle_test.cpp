// SPDX-License-Identifier: Apache-2.0
// Random lives of brokers from fixed seeds. `lifecycle_stress` runs others, for hours.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "../support/wait.hpp"
#include "footprint.hpp"
#include "lifecycle.hpp"

using namespace freshet::testing;

namespace {

// KiB in use. Threads and the client library keep memory for later, so only lifecycle_stress sees small leaks, in
// hours.
constexpr std::size_t allowed_growth = 4'096;

void live(Ground ground, const std::vector<std::uint64_t>& seeds) {
    Lifecycle lifecycle{ground};
    // The first run makes the threads that the client library keeps, and fills the caches.
    CHECK(lifecycle.run({.seed = seeds.front(), .ground = ground}).broken == std::vector<std::string>{});
    const auto before = Footprint::now();
    for (const auto seed : seeds) {
        INFO("seed " << seed);
        const auto report = lifecycle.run({.seed = seed, .ground = ground});
        CHECK(report.broken == std::vector<std::string>{});
        CHECK(eventually([&] { return Footprint::now().threads <= before.threads; }));
        CHECK(Footprint::now().in_use <= before.in_use + allowed_growth);
    }
}

}  // namespace

TEST_CASE("whatever is done to brokers in memory, their promises hold") {
    live(Ground::memory, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("whatever is done to brokers on a server, their promises hold") { live(Ground::nats, {1, 2, 3}); }
