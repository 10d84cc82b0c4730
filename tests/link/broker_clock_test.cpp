// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "link/broker_clock.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using detail::BrokerClock;

TEST_CASE("a broker's end drops its tasks, and takes no more, also on a clock of others") {
    const auto others = std::make_shared<testing::VirtualClock>();
    BrokerClock clock;
    const bool shared = GENERATE(false, true);
    if (shared) clock.replace(others);
    const auto held = std::make_shared<int>(1);
    bool ran = false;
    clock.schedule(clock.now() + 1h, [held, &ran] { ran = true; });
    REQUIRE(held.use_count() == 2);
    clock.retire();
    CHECK(held.use_count() == 1);
    clock.schedule(clock.now(), [held, &ran] { ran = true; });
    CHECK(held.use_count() == 1);
    others->advance(2h);
    CHECK_FALSE(ran);
}

TEST_CASE("a broker's end waits for its task that runs") {
    BrokerClock clock;
    std::binary_semaphore begun{0};
    std::atomic<bool> ended = false;
    clock.schedule(clock.now(), [&] {
        begun.release();
        std::this_thread::sleep_for(20ms);
        ended = true;
    });
    begun.acquire();
    clock.retire();
    CHECK(ended);
}

TEST_CASE("a task of a shared clock that ends its broker is not waited for") {
    const auto others = std::make_shared<testing::VirtualClock>();
    BrokerClock clock;
    clock.replace(others);
    bool ran = false;
    clock.schedule(clock.now() + 1s, [&] {
        clock.retire();
        ran = true;
    });
    others->advance(1s);
    CHECK(ran);
}

TEST_CASE("a task that is cancelled on a shared clock goes") {
    const auto others = std::make_shared<testing::VirtualClock>();
    BrokerClock clock;
    clock.replace(others);
    const auto held = std::make_shared<int>(1);
    const auto id = clock.schedule(clock.now() + 1h, [held] {});
    CHECK(clock.cancel(id));
    CHECK(held.use_count() == 1);
}
