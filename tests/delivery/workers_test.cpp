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

TEST_CASE("one thread handles everything in order") {
    std::vector<int> seen;
    Workers workers{{}, [&](Message message) { seen.push_back(number_in(message)); }};
    std::vector<int> sent;
    for (int i = 0; i < 1'000; ++i) {
        REQUIRE(workers.push(numbered(i), static_cast<std::size_t>(i)));
        sent.push_back(i);
    }
    workers.join();
    CHECK(seen == sent);
    CHECK(workers.pending() == 0);
}

TEST_CASE("workers run at the same time, all of them") {
    constexpr int count = 4;
    std::latch all_inside{count};  // opens only when every worker is in the handler
    std::mutex mutex;
    std::set<std::thread::id> threads;
    Workers workers{{.threads = count}, [&](Message) {
                        all_inside.arrive_and_wait();
                        const std::lock_guard lock{mutex};
                        threads.insert(std::this_thread::get_id());
                    }};
    for (int i = 0; i < count; ++i) REQUIRE(workers.push(numbered(i), 0));
    workers.join();
    CHECK(threads.size() == count);
    CHECK_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("workers by key keep the order of each key, and run keys at the same time") {
    constexpr std::size_t count = 4;
    constexpr int keys = 16;
    constexpr int each = 500;
    std::mutex mutex;
    std::map<int, std::vector<int>> seen;
    std::latch all_inside{count};
    {
        Workers workers{{.threads = count, .order = WorkerOrder::by_key}, [&](Message message) {
                            const int number = number_in(message);
                            if (number < 0) return all_inside.arrive_and_wait();
                            const std::lock_guard lock{mutex};
                            seen[number % keys].push_back(number / keys);
                        }};
        for (std::size_t key = 0; key < count; ++key) REQUIRE(workers.push(numbered(-1), key));
        for (int i = 0; i < keys * each; ++i) REQUIRE(workers.push(numbered(i), static_cast<std::size_t>(i % keys)));
        workers.join();
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
    workers.join();
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
    workers.join();
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
        workers.join();
        pushers.clear();
        CHECK(handled == taken);
        CHECK(workers.pending() == 0);
        CHECK_FALSE(workers.push(numbered(1), 0));
    }
}

TEST_CASE("what waits can be taken away; the handler that runs is not waited for") {
    Gate gate;
    std::atomic<int> handled = 0;
    Workers workers{{}, [&](Message) { gate.pass(), ++handled; }};
    for (int i = 0; i < 5; ++i) REQUIRE(workers.push(numbered(i), 0));
    gate.wait_for_arrival();
    workers.close();
    CHECK(workers.take_waiting().size() == 4);
    CHECK(workers.pending() == 0);
    CHECK(handled == 0);
    auto refused = numbered(9);
    CHECK_FALSE(workers.push(std::move(refused), 0));
    CHECK(number_in(refused) == 9);  // and it is still there
    gate.open();
    workers.join();
    CHECK(handled == 1);
}

TEST_CASE("joining inside a handler does not wait for it; what was queued is handled") {
    for (const auto order : {WorkerOrder::none, WorkerOrder::by_key}) {
        std::atomic<int> handled = 0;
        Gate gate;
        std::binary_semaphore over{0};
        std::optional<Workers> workers;
        workers.emplace(WorkersOptions{.threads = 2, .order = order, .on_end = [&] { over.release(); }},
                        [&](Message message) {
                            if (number_in(message) == 0) {
                                gate.pass();
                                workers->join();
                            }
                            ++handled;
                        });
        REQUIRE(workers->push(numbered(0), 0));
        gate.wait_for_arrival();
        if (order == WorkerOrder::by_key) {  // behind the handler that joins
            REQUIRE(workers->push(numbered(1), 0));
            REQUIRE(workers->push(numbered(2), 0));
        }
        gate.open();
        over.acquire();
        CHECK(handled == (order == WorkerOrder::by_key ? 3 : 1));
    }
}

TEST_CASE("a handler may destroy the workers it runs on") {
    std::binary_semaphore over{0};
    std::binary_semaphore built{0};
    std::atomic<int> handled = 0;
    std::unique_ptr<Workers> workers;
    workers = std::make_unique<Workers>(WorkersOptions{.on_end = [&] { over.release(); }}, [&](Message) {
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

TEST_CASE("the end is told once, after the last message, by the last thread") {
    std::atomic<int> handled = 0;
    std::vector<int> handled_at_end;
    {
        Workers workers{{.threads = 3, .on_end = [&] { handled_at_end.push_back(handled); }},
                        [&](Message) { ++handled; }};
        for (int i = 0; i < 100; ++i) REQUIRE(workers.push(numbered(i), 0));
        workers.close();
        workers.join();
    }
    CHECK(handled_at_end == std::vector{100});
}

TEST_CASE("destroying workers drops what waits and joins the threads") {
    Gate gate;
    std::atomic<int> handled = 0;
    std::jthread opener;
    {
        Workers workers{{.threads = 1}, [&](Message) { gate.pass(), ++handled; }};
        for (int i = 0; i < 3; ++i) REQUIRE(workers.push(numbered(i), 0));
        gate.wait_for_arrival();
        opener = std::jthread{[&] {
            while (workers.pending() > 0) std::this_thread::yield();
            gate.open();
        }};
    }
    CHECK(handled == 1);
}
