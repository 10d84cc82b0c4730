// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/clock.hpp>

using namespace std::chrono_literals;
using freshet::SystemClock;
using freshet::TimerId;

TEST_CASE("tasks run in the order of their times, not before") {
    SystemClock clock;
    std::vector<int> order;
    bool early = false;
    std::latch done{3};
    const auto start = clock.now();
    auto note = [&](int number, std::chrono::milliseconds delay) {
        clock.schedule(start + delay, [&, number, delay] {
            early = early || clock.now() < start + delay;
            order.push_back(number);
            done.count_down();
        });
    };
    note(3, 30ms);
    note(1, 5ms);  // earlier than what the thread waits for by now
    note(2, 20ms);
    done.wait();
    CHECK(order == std::vector{1, 2, 3});
    CHECK_FALSE(early);
}

TEST_CASE("tasks of the same time run in the order they were scheduled") {
    SystemClock clock;
    std::vector<int> order;
    std::latch done{3};
    const auto when = clock.now() + 5ms;
    for (int i = 0; i < 3; ++i) clock.schedule(when, [&, i] { order.push_back(i), done.count_down(); });
    done.wait();
    CHECK(order == std::vector{0, 1, 2});
}

TEST_CASE("a time that has passed runs at once, on another thread") {
    SystemClock clock;
    std::binary_semaphore ran{0};
    std::thread::id runner;
    clock.schedule(clock.now() - 1h, [&] { runner = std::this_thread::get_id(), ran.release(); });
    ran.acquire();
    CHECK(runner != std::this_thread::get_id());
}

TEST_CASE("a cancelled task does not run and is destroyed") {
    SystemClock clock;
    std::atomic<bool> ran = false;
    auto owned = std::make_shared<int>(1);
    const TimerId id = clock.schedule(clock.now() + 20ms, [&, owned] { ran = true; });
    CHECK(clock.cancel(id));
    CHECK(owned.use_count() == 1);
    CHECK_FALSE(clock.cancel(id));

    std::binary_semaphore later{0};
    clock.schedule(clock.now() + 30ms, [&] { later.release(); });
    later.acquire();
    CHECK_FALSE(ran);
}

TEST_CASE("cancelling what has run, or nothing, says so and does not wait") {
    SystemClock clock;
    std::binary_semaphore ran{0};
    const TimerId id = clock.schedule(clock.now(), [&] { ran.release(); });
    ran.acquire();
    clock.cancel_and_wait(id);
    CHECK_FALSE(clock.cancel(id));
    CHECK_FALSE(clock.cancel(TimerId{}));
    clock.cancel_and_wait(TimerId{});
}

TEST_CASE("cancel_and_wait waits for the task that runs") {
    SystemClock clock;
    std::binary_semaphore started{0};
    std::binary_semaphore go_on{0};
    bool finished = false;  // not atomic: the wait is what makes reading it safe
    const TimerId id = clock.schedule(clock.now(), [&] {
        started.release();
        go_on.acquire();
        finished = true;
    });
    started.acquire();
    CHECK_FALSE(clock.cancel(id));
    go_on.release();
    clock.cancel_and_wait(id);
    CHECK(finished);
}

TEST_CASE("a task may cancel itself and schedule others") {
    SystemClock clock;
    std::binary_semaphore done{0};
    TimerId id;
    std::binary_semaphore id_set{0};
    id = clock.schedule(clock.now(), [&] {
        id_set.acquire();
        clock.cancel_and_wait(id);
        clock.schedule(clock.now(), [&] { done.release(); });
    });
    id_set.release();
    done.acquire();
}

TEST_CASE("the destructor waits for the task that runs and drops the others") {
    std::atomic<bool> dropped_ran = false;
    bool finished = false;
    auto owned = std::make_shared<int>(1);
    {
        SystemClock clock;
        std::binary_semaphore started{0};
        clock.schedule(clock.now(), [&] {
            started.release();
            std::this_thread::sleep_for(5ms);
            finished = true;
        });
        clock.schedule(clock.now() + 1h, [&, owned] { dropped_ran = true; });
        started.acquire();
    }
    CHECK(finished);
    CHECK_FALSE(dropped_ran);
    CHECK(owned.use_count() == 1);
}

TEST_CASE("many threads schedule and cancel: each task either runs or was cancelled") {
    SystemClock clock;
    std::atomic<int> ran = 0;
    std::atomic<int> cancelled = 0;
    constexpr int threads = 4;
    constexpr int each = 500;
    {
        std::vector<std::jthread> workers;
        workers.reserve(threads);
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&] {
                for (int i = 0; i < each; ++i) {
                    const auto id = clock.schedule(clock.now() + std::chrono::microseconds{i % 50}, [&] { ++ran; });
                    if (i % 2 == 0 && clock.cancel(id)) ++cancelled;
                }
            });
        }
    }
    std::binary_semaphore last{0};
    clock.schedule(clock.now() + 1ms, [&] { last.release(); });
    last.acquire();
    CHECK(ran + cancelled == threads * each);
}

TEST_CASE("a clock may be destroyed inside its own task") {
    std::binary_semaphore ended{0};
    auto clock = std::make_shared<SystemClock>();
    auto* const bare = clock.get();
    bare->schedule(bare->now(), [&ended, clock = std::move(clock)]() mutable {
        clock.reset();
        ended.release();
    });
    CHECK(ended.try_acquire_for(20s));
}

TEST_CASE("a clock that was stopped drops what is scheduled, and its time goes on") {
    SystemClock clock;
    const auto held = std::make_shared<int>(1);
    clock.schedule(clock.now() + 1h, [held] {});
    clock.stop();
    CHECK(held.use_count() == 1);
    CHECK(clock.schedule(clock.now(), [held] {}) == freshet::TimerId{});
    CHECK(held.use_count() == 1);
    const auto before = clock.now();
    CHECK(clock.now() >= before);
}
