// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "delivery/workers.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;

namespace {

Message numbered(int number) { return Message::make("orders", as_bytes(std::to_string(number))); }
int number_in(const Message& message) { return std::stoi(std::string{message.text()}); }

TimePoint in_an_hour() { return std::chrono::steady_clock::now() + 1h; }
TimePoint at_once() { return std::chrono::steady_clock::now(); }

/// Holds handlers until the test opens it.
class Gate {
public:
    void pass() {
        arrived_.release();
        open_.acquire();
    }
    void wait_for_arrival() { arrived_.acquire(); }
    void open(std::ptrdiff_t count = 1'000) { open_.release(count); }

private:
    std::counting_semaphore<> arrived_{0};
    std::counting_semaphore<> open_{0};
};

}  // namespace

TEST_CASE("one lane handles everything in order") {
    std::vector<int> seen;
    Workers workers{{}, [&](Message message) { seen.push_back(number_in(message)); }};
    std::vector<int> sent;
    for (int i = 0; i < 1'000; ++i) {
        REQUIRE(workers.push(numbered(i), static_cast<std::size_t>(i)));
        sent.push_back(i);
    }
    CHECK(workers.close_and_drain(in_an_hour()));
    CHECK(seen == sent);
    CHECK(workers.pending() == 0);
    CHECK(workers.dropped() == 0);
}

TEST_CASE("workers run at the same time, all of them") {
    constexpr int workers = 4;
    std::latch all_inside{workers};  // opens only when every worker is in the handler
    std::mutex mutex;
    std::set<std::thread::id> threads;
    Workers workers{{.threads = workers}, [&](Message) {
                        all_inside.arrive_and_wait();
                        const std::lock_guard lock{mutex};
                        threads.insert(std::this_thread::get_id());
                    }};
    for (int i = 0; i < workers; ++i) REQUIRE(workers.push(numbered(i), 0));
    CHECK(workers.close_and_drain(in_an_hour()));
    CHECK(threads.size() == workers);
    CHECK_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("workers by key keep the order of each key, and run keys at the same time") {
    constexpr std::size_t workers = 4;
    constexpr int keys = 16;
    constexpr int each = 500;
    std::mutex mutex;
    std::map<int, std::vector<int>> seen;
    std::latch all_inside{workers};
    {
        Workers workers{{.threads = workers, .order = WorkerOrder::by_key}, [&](Message message) {
                            const int number = number_in(message);
                            if (number < 0) return all_inside.arrive_and_wait();
                            const std::lock_guard lock{mutex};
                            seen[number % keys].push_back(number / keys);
                        }};
        for (std::size_t lane = 0; lane < workers; ++lane) REQUIRE(workers.push(numbered(-1), lane));
        for (int i = 0; i < keys * each; ++i) REQUIRE(workers.push(numbered(i), static_cast<std::size_t>(i % keys)));
        CHECK(workers.close_and_drain(in_an_hour()));
    }
    std::vector<int> in_order(each);
    for (int i = 0; i < each; ++i) in_order[static_cast<std::size_t>(i)] = i;
    REQUIRE(seen.size() == keys);
    for (const auto& [key, numbers] : seen) CHECK(numbers == in_order);
}

TEST_CASE("more than max_messages is refused, without waiting, until there is room") {
    Gate gate;
    Workers workers{{.max_messages = 3}, [&](Message) { gate.pass(); }};
    REQUIRE(workers.push(numbered(0), 0));
    gate.wait_for_arrival();  // this one is being handled: it does not count
    for (int i = 0; i < 3; ++i) CHECK(workers.push(numbered(i), 0));
    CHECK(workers.pending() == 3);
    CHECK_FALSE(workers.push(numbered(4), 0));
    CHECK(workers.pending() == 3);
    gate.open(1);
    gate.wait_for_arrival();
    CHECK(workers.push(numbered(5), 0));
    gate.open();
    CHECK(workers.close_and_drain(in_an_hour()));
    CHECK(workers.dropped() == 0);  // what was never taken was not dropped
}

TEST_CASE("more than max_bytes is refused, over all workers together") {
    Gate gate;
    Workers workers{{.threads = 2, .order = WorkerOrder::by_key, .max_bytes = 10}, [&](Message) { gate.pass(); }};
    const auto message = [](std::size_t size) { return Message::make("x", as_bytes(std::string(size, 'x'))); };
    REQUIRE(workers.push(message(10), 0));
    gate.wait_for_arrival();
    REQUIRE(workers.push(message(10), 1));
    gate.wait_for_arrival();
    CHECK(workers.push(message(6), 0));
    CHECK_FALSE(workers.push(message(5), 1));
    CHECK(workers.push(message(4), 1));
    CHECK_FALSE(workers.push(message(1), 0));
    CHECK(workers.push(message(0), 0));
    gate.open();
    CHECK(workers.close_and_drain(in_an_hour()));
}

TEST_CASE("closing under load loses nothing that was taken") {
    for (const auto order : {WorkerOrder::none, WorkerOrder::by_key}) {
        std::atomic<int> handled = 0;
        std::atomic<int> taken = 0;
        std::latch running{3};
        Workers workers{{.threads = 3, .order = order}, [&](Message) { ++handled; }};
        std::vector<std::jthread> pushers;
        pushers.reserve(3);
        for (int p = 0; p < 3; ++p) {
            pushers.emplace_back([&] {
                running.count_down();
                for (std::size_t i = 0;; ++i) {
                    while (workers.pending() > 1'000) std::this_thread::yield();
                    if (!workers.push(numbered(1), i)) return;
                    ++taken;
                }
            });
        }
        running.wait();
        while (handled < 1'000) std::this_thread::yield();
        CHECK(workers.close_and_drain(in_an_hour()));
        pushers.clear();
        CHECK(handled == taken);
        CHECK(workers.pending() == 0);
        CHECK_FALSE(workers.push(numbered(1), 0));
    }
}

TEST_CASE("at the deadline what waits is dropped and counted, the handler that runs is not waited for") {
    Gate gate;
    std::atomic<int> handled = 0;
    {
        Workers workers{{}, [&](Message) { gate.pass(), ++handled; }};
        for (int i = 0; i < 5; ++i) REQUIRE(workers.push(numbered(i), 0));
        gate.wait_for_arrival();
        CHECK_FALSE(workers.close_and_drain(at_once()));
        CHECK(workers.pending() == 0);
        CHECK(workers.dropped() == 4);
        CHECK(handled == 0);
        CHECK_FALSE(workers.push(numbered(9), 0));
        gate.open();
        CHECK_FALSE(workers.close_and_drain(in_an_hour()));  // ended by now, but not with everything handled
    }
    CHECK(handled == 1);
}

TEST_CASE("closing inside a handler does not wait for it; what was queued is handled") {
    for (const auto order : {WorkerOrder::none, WorkerOrder::by_key}) {
        std::atomic<int> handled = 0;
        std::atomic<bool> all_handled_inside = false;
        Gate gate;
        std::optional<Workers> workers;
        workers.emplace(WorkersOptions{.threads = 2, .order = order}, [&](Message message) {
            if (number_in(message) == 0) {
                gate.pass();
                all_handled_inside = workers->close_and_drain(in_an_hour());
            }
            ++handled;
        });
        REQUIRE(workers->push(numbered(0), 0));
        gate.wait_for_arrival();
        if (order == WorkerOrder::by_key) {  // behind the handler that closes
            REQUIRE(workers->push(numbered(1), 0));
            REQUIRE(workers->push(numbered(2), 0));
        }
        gate.open();
        CHECK(workers->close_and_drain(in_an_hour()));
        CHECK(handled == (order == WorkerOrder::by_key ? 3 : 1));
        CHECK(all_handled_inside == (order == WorkerOrder::none));
    }
}

TEST_CASE("a handler may destroy the workers it runs on") {
    std::binary_semaphore over{0};
    std::binary_semaphore built{0};
    std::atomic<int> handled = 0;
    std::unique_ptr<Workers> workers;
    workers = std::make_unique<Workers>(WorkersOptions{.on_thread_exit = [&] { over.release(); }}, [&](Message) {
        built.acquire();
        workers.reset();
        ++handled;
    });
    REQUIRE(workers->push(numbered(0), 0));
    REQUIRE(workers->push(numbered(1), 0));
    built.release();
    over.acquire();
    CHECK(handled == 1);
}

TEST_CASE("each thread calls the exit hook once, after its last message") {
    std::mutex mutex;
    std::multimap<std::thread::id, int> messages_at_exit;
    thread_local int messages = 0;
    {
        Workers workers{{.threads = 3,
                         .on_thread_exit =
                             [&] {
                                 const std::lock_guard lock{mutex};
                                 messages_at_exit.emplace(std::this_thread::get_id(), messages);
                             }},
                        [&](Message) { ++messages; }};
        for (int i = 0; i < 100; ++i) REQUIRE(workers.push(numbered(i), 0));
        CHECK(workers.close_and_drain(in_an_hour()));
    }
    int total = 0;
    std::set<std::thread::id> threads;
    for (const auto& [thread, count] : messages_at_exit) {
        total += count;
        threads.insert(thread);
    }
    CHECK(threads.size() == 3);
    CHECK(messages_at_exit.size() == 3);
    CHECK(total == 100);
}

TEST_CASE("destroying workers drops what waits and joins the threads") {
    Gate gate;
    std::atomic<int> handled = 0;
    std::jthread opener;
    {
        Workers workers{{.threads = 1}, [&](Message) { gate.pass(), ++handled; }};
        for (int i = 0; i < 3; ++i) REQUIRE(workers.push(numbered(i), 0));
        gate.wait_for_arrival();
        CHECK_FALSE(workers.close_and_drain(at_once()));
        opener = std::jthread{[&] { gate.open(); }};
    }
    CHECK(handled == 1);
}
