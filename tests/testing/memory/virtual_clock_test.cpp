// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "base/wait.hpp"

using namespace std::chrono_literals;
using freshet::TimePoint;
using freshet::detail::WorkScope;
using freshet::testing::VirtualClock;

namespace {

/// Something to wait for.
class Flag {
public:
    explicit Flag(VirtualClock& clock) : clock_{clock} {}
    void set() {
        const std::lock_guard lock{mutex_};
        set_ = true;
        changed_.notify_all();
    }
    bool wait_until(TimePoint deadline) {
        std::unique_lock lock{mutex_};
        return freshet::detail::wait_until(clock_, lock, changed_, deadline, [this] { return set_; });
    }

private:
    VirtualClock& clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace

TEST_CASE("the virtual clock runs each task at its own time") {
    VirtualClock clock;
    const auto start = clock.now();
    std::vector<std::chrono::nanoseconds> times;
    clock.schedule(start + 2s, [&] { times.push_back(clock.now() - start); });
    clock.schedule(start + 1s, [&] {
        times.push_back(clock.now() - start);
        clock.schedule(clock.now() + 500ms, [&] { times.push_back(clock.now() - start); });
    });
    clock.advance(1s);
    CHECK(times == std::vector<std::chrono::nanoseconds>{1s});
    clock.advance(2s);
    CHECK(times == std::vector<std::chrono::nanoseconds>{1s, 1500ms, 2s});
    CHECK(clock.now() == start + 3s);
    CHECK(clock.scheduled() == 0);
}

TEST_CASE("run does what is due now, in the order it was scheduled, and what that schedules") {
    VirtualClock clock;
    const auto start = clock.now();
    std::vector<int> order;
    clock.schedule(start, [&] {
        order.push_back(1);
        clock.schedule(start, [&] { order.push_back(3); });
    });
    clock.schedule(start, [&] { order.push_back(2); });
    clock.schedule(start + 1ns, [&] { order.push_back(4); });
    clock.run();
    CHECK(order == std::vector{1, 2, 3});
    CHECK(clock.now() == start);
}

TEST_CASE("a wait moves the time to what it waits for, and no further") {
    VirtualClock clock;
    const auto start = clock.now();
    Flag flag{clock};
    int later = 0;
    clock.schedule(start + 1h, [&] { flag.set(); });
    clock.schedule(start + 2h, [&] { ++later; });
    CHECK(flag.wait_until(start + 24h));
    CHECK(clock.now() == start + 1h);
    CHECK(later == 0);
}

TEST_CASE("a wait ends at its deadline") {
    VirtualClock clock;
    const auto start = clock.now();
    Flag flag{clock};
    clock.schedule(start + 3s, [&] { flag.set(); });
    CHECK_FALSE(flag.wait_until(start + 2s));
    CHECK(clock.now() == start + 2s);
}

TEST_CASE("waits nest: a task that waits runs others meanwhile") {
    VirtualClock clock;
    const auto start = clock.now();
    Flag inner{clock};
    Flag outer{clock};
    clock.schedule(start, [&] {
        CHECK(inner.wait_until(start + 10s));
        outer.set();
    });
    clock.schedule(start + 2s, [&] { inner.set(); });
    CHECK(outer.wait_until(start + 1s) == true);  // it could look only when the task had returned
    CHECK(clock.now() == start + 2s);
}

TEST_CASE("threads that wait share one time, each woken at its own") {
    VirtualClock clock;
    const auto start = clock.now();
    Flag never{clock};
    std::vector<std::chrono::nanoseconds> woken(8);
    clock.add_work(static_cast<std::ptrdiff_t>(woken.size()));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < woken.size(); ++i) {
            threads.emplace_back([&, i] {
                {
                    const WorkScope scope;
                    never.wait_until(start + std::chrono::seconds{10 - i});
                    woken[i] = clock.now() - start;
                }
                clock.add_work(-1);
            });
        }
        clock.advance_to(start + 1min);  // the threads move the time themselves once all of them wait
    }
    for (std::size_t i = 0; i < woken.size(); ++i) CHECK(woken[i] == std::chrono::seconds{10 - i});
    CHECK(clock.now() == start + 1min);
}

TEST_CASE("the time stands still while a thread has work in hand") {
    VirtualClock clock;
    const auto start = clock.now();
    Flag flag{clock};
    clock.add_work(1);
    std::chrono::nanoseconds seen{-1};
    const std::jthread worker{[&] {
        std::this_thread::sleep_for(20ms);
        seen = clock.now() - start;
        flag.set();
        clock.add_work(-1);
    }};
    CHECK(flag.wait_until(start + 1s));
    CHECK(seen == 0ns);
    CHECK(clock.now() == start);
}

TEST_CASE("a task is cancelled before it runs, and waited for by others while it does") {
    VirtualClock clock;
    bool ran = false;
    const auto id = clock.schedule(clock.now(), [&] { ran = true; });
    CHECK(clock.cancel(id));
    CHECK_FALSE(clock.cancel(id));
    clock.run();
    CHECK_FALSE(ran);

    std::atomic<bool> running = false;
    std::atomic<bool> finished = false;
    const auto slow = clock.schedule(clock.now(), [&] {
        running = true;
        std::this_thread::sleep_for(20ms);
        finished = true;
    });
    const std::jthread driver{[&] { clock.run(); }};
    while (!running) std::this_thread::yield();
    clock.cancel_and_wait(slow);
    CHECK(finished);
}
