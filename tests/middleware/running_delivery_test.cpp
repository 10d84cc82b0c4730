// SPDX-License-Identifier: Apache-2.0
#include "middleware/running_delivery.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using freshet::Context;
using freshet::TimePoint;
using freshet::detail::RunningDelivery;
using namespace std::chrono_literals;

namespace {

/// Stands for a Context, which nobody looks into here.
struct Handled {
    Context& context() noexcept { return reinterpret_cast<Context&>(*this); }
    static Handled& of(const RunningDelivery& running) noexcept {
        return reinterpret_cast<Handled&>(running.context());
    }
    std::atomic<bool> running = true;
};

std::vector<const Handled*> seen_by(const void* watcher) {
    std::vector<const Handled*> seen;
    RunningDelivery::for_each(watcher, [&](RunningDelivery& running) { seen.push_back(&Handled::of(running)); });
    return seen;
}

}  // namespace

TEST_CASE("a watcher sees the deliveries that it watches, those within others too, until they end") {
    const int watcher = 0;
    const int other = 0;
    Handled outer;
    Handled inner;
    Handled foreign;
    CHECK_FALSE(RunningDelivery::for_each(&watcher, [](RunningDelivery&) {}));
    {
        const RunningDelivery first{outer.context(), &watcher};
        {
            const RunningDelivery second{foreign.context(), &other};
            const RunningDelivery third{inner.context(), &watcher};
            CHECK(seen_by(&watcher) == std::vector<const Handled*>{&inner, &outer});
            CHECK(seen_by(&other) == std::vector<const Handled*>{&foreign});
        }
        CHECK(seen_by(&watcher) == std::vector<const Handled*>{&outer});
    }
    CHECK(seen_by(&watcher).empty());
}

TEST_CASE("a delivery is overdue once, so long after it was first seen") {
    const int watcher = 0;
    Handled handled;
    RunningDelivery running{handled.context(), &watcher};
    const TimePoint start{1h};
    CHECK_FALSE(running.becomes_overdue(start, 5s));
    CHECK_FALSE(running.becomes_overdue(start + 4s, 5s));
    CHECK(running.becomes_overdue(start + 5s, 5s));
    CHECK_FALSE(running.becomes_overdue(start + 6s, 5s));
}

TEST_CASE("no delivery ends while a watcher looks at it, and none is seen after its end") {
    const int watcher = 0;
    constexpr int rounds = 20'000;
    std::atomic<int> ended = 0;
    std::atomic<int> dead = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                Handled outer;
                {
                    const RunningDelivery running{outer.context(), &watcher};
                    Handled inner;
                    { const RunningDelivery within{inner.context(), &watcher}; }
                    inner.running = false;
                }
                outer.running = false;
            }
            ++ended;
        });
    }
    int looks = 0;
    while (ended < 3) {
        RunningDelivery::for_each(&watcher, [&](RunningDelivery& running) {
            if (!Handled::of(running).running) ++dead;
        });
        ++looks;
    }
    threads.clear();
    CHECK(dead == 0);
    CHECK(looks > 0);
    CHECK_FALSE(RunningDelivery::for_each(&watcher, [](RunningDelivery&) {}));
}

TEST_CASE("a watcher that stops and then finds nothing has missed nobody: who comes later sees that it stopped") {
    const int watcher = 0;
    for (int round = 0; round < 2'000; ++round) {
        Handled handled;
        std::atomic<bool> watching = true;
        std::atomic<bool> saw_stop = false;
        std::atomic<bool> looked = false;
        bool found = false;
        {
            std::jthread delivering{[&] {
                const RunningDelivery running{handled.context(), &watcher};
                saw_stop = !watching.load();
                while (!looked) std::this_thread::yield();
            }};
            watching = false;
            found = RunningDelivery::for_each(&watcher, [](RunningDelivery&) {});
            looked = true;
        }
        if (!found && !saw_stop) FAIL("it was missed in round " << round);
    }
    SUCCEED();
}
