// SPDX-License-Identifier: Apache-2.0
#include <barrier>
#include <chrono>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "delivery/start_guard.hpp"

using namespace std::chrono_literals;
using freshet::detail::StartGuard;

TEST_CASE("a stop after the start is for the one who stops, one before it for the start") {
    StartGuard late;
    CHECK_FALSE(late.running());
    const auto nothing = late.begun();
    CHECK_FALSE(nothing.quiesce);
    CHECK_FALSE(nothing.stop);
    CHECK(late.running());
    CHECK(late.quiesce());
    CHECK(late.stop(1s));

    StartGuard early;
    CHECK_FALSE(early.quiesce());
    CHECK_FALSE(early.running());
    CHECK_FALSE(early.stop(2s));
    CHECK_FALSE(early.quiesce());  // which takes nothing of the stop away
    const auto asked = early.begun();
    CHECK(asked.quiesce);
    CHECK(asked.stop == 2s);

    StartGuard quiesced;
    CHECK_FALSE(quiesced.quiesce());
    const auto only = quiesced.begun();
    CHECK(only.quiesce);
    CHECK_FALSE(only.stop);
}

TEST_CASE("of several stops before the start the shortest timeout counts") {
    StartGuard sooner;
    CHECK_FALSE(sooner.stop(30s));
    CHECK_FALSE(sooner.stop(0s));
    CHECK(sooner.begun().stop == 0s);

    StartGuard later;
    CHECK_FALSE(later.stop(1s));
    CHECK_FALSE(later.stop(30s));
    CHECK(later.begun().stop == 1s);
}

TEST_CASE("whoever comes first, a stop is carried out by exactly one of the two threads") {
    for (int round = 0; round < 2'000; ++round) {
        StartGuard guard;
        std::barrier both{2};
        bool stops_here = false;
        std::thread stopper{[&] {
            both.arrive_and_wait();
            stops_here = guard.stop(0s);
        }};
        both.arrive_and_wait();
        const bool stops_at_start = guard.begun().stop.has_value();
        stopper.join();
        REQUIRE(stops_here != stops_at_start);
    }
}
