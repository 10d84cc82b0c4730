// SPDX-License-Identifier: Apache-2.0
// Queue groups, wildcards, threads, order, backpressure, dynamic subscribers.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/native.hpp>

#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}, .name = "dispatch"}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a queue group gives each message to one member, and uses every member") {
    constexpr int members = 4;
    constexpr int count = 2'000;
    std::array<std::atomic<int>, members> received{};
    std::vector<std::atomic<int>> seen(count);
    for (auto& mine : received) {
        broker.subscriber<"work.{n}">({.queue = "team"}).handle([&](Path<"n", std::size_t> n) {
            ++mine;
            ++seen[n];
        });
    }
    broker.start();
    auto publisher = broker.publisher<std::string, "work.{n}">();
    for (int i = 0; i < count; ++i) publisher.publish("", i);
    const auto total = [&] {
        int sum = 0;
        for (const auto& one : received) sum += one;
        return sum;
    };
    REQUIRE(eventually([&] { return total() >= count; }));
    broker.stop();
    CHECK(total() == count);
    for (const auto& one : received) CHECK(one > 0);
    CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE_METHOD(Fixture, "wildcards and parameters match as the server does") {
    std::mutex mutex;
    std::multiset<std::string> seen;
    const auto note = [&](std::string what) {
        const std::lock_guard lock{mutex};
        seen.insert(std::move(what));
    };
    broker.subscriber<"w.*.x">().handle([&](const Message& m) { note("star " + std::string{m.subject()}); });
    broker.subscriber<"w.>">().handle([&](const Message& m) { note("tail " + std::string{m.subject()}); });
    broker.subscriber<"w.{a}.{b}">().handle([&](Path<"b"> b, Path<"a"> a) {
        note("path " + std::string{*a} + " " + std::string{*b});
    });
    broker.start();
    broker.publish("w.1.x", "");
    broker.publish("w.1.y", "");
    broker.publish("w.1", "");
    broker.publish("w.1.x.z", "");
    const std::multiset<std::string> expected{"star w.1.x", "tail w.1.x", "path 1 x",    "tail w.1.y",
                                              "path 1 y",   "tail w.1",   "tail w.1.x.z"};
    REQUIRE(eventually([&] {
        const std::lock_guard lock{mutex};
        return seen.size() >= expected.size();
    }));
    broker.stop();
    CHECK(seen == expected);
}

TEST_CASE_METHOD(Fixture, "a plain subscriber handles one message at a time, in order") {
    std::atomic<int> inside = 0;
    std::vector<int> order;
    broker.subscriber<"serial.{n}">().handle([&](Path<"n", int> n) {
        testing::must(++inside == 1);
        order.push_back(n);
        --inside;
    });
    broker.start();
    auto publisher = broker.publisher<std::string, "serial.{n}">();
    for (int i = 0; i < 1'000; ++i) publisher.publish("", i);
    broker.ping();
    broker.stop();
    REQUIRE(order.size() == 1'000);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE_METHOD(Fixture, "workers run the handler at the same time") {
    constexpr int workers = 4;
    std::mutex mutex;
    std::condition_variable changed;
    int inside = 0;
    broker.subscriber<"parallel">({.workers = workers}).handle([&](std::string_view) {
        std::unique_lock lock{mutex};
        ++inside;
        changed.notify_all();
        // Comes back only when all are inside at once.
        testing::must(changed.wait_for(lock, 20s, [&] { return inside >= workers; }));
    });
    broker.start();
    for (int i = 0; i < workers; ++i) broker.publish("parallel", "");
    CHECK(eventually([&] { return broker.stats().received == workers; }));
    CHECK(broker.stop());
    CHECK(inside == workers);
}

TEST_CASE_METHOD(Fixture, "ordered_by keeps the order of each key, by path and by function") {
    constexpr int keys = 7;
    constexpr int each = 200;
    const bool by_path = GENERATE(true, false);
    const OrderKey order =
        by_path ? OrderKey{"key"} : OrderKey{[](const Message& m) { return std::size_t(m.subject()[6]); }};
    std::mutex mutex;
    std::map<int, std::vector<int>> seen;
    std::set<std::thread::id> threads;
    broker.subscriber<"lanes.{key}.{n}">({.workers = 3, .ordered_by = order})
        .handle([&](Path<"key", int> key, Path<"n", int> n) {
            const std::lock_guard lock{mutex};
            seen[key].push_back(n);
            threads.insert(std::this_thread::get_id());
        });
    broker.start();
    auto publisher = broker.publisher<std::string, "lanes.{key}.{n}">();
    for (int n = 100; n < 100 + each; ++n)
        for (int key = 0; key < keys; ++key) publisher.publish("", key, n);
    broker.ping();
    CHECK(broker.stop());
    CHECK(seen.size() == keys);
    for (const auto& [key, numbers] : seen) {
        CHECK(numbers.size() == each);
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    }
    CHECK(threads.size() > 1);
}

TEST_CASE_METHOD(Fixture, "a dedicated subscriber that blocks does not delay others") {
    std::binary_semaphore release{0};
    std::atomic<int> others = 0;
    for (int i = 0; i < 8; ++i) broker.subscriber<"other">().handle([&](std::string_view) { ++others; });
    broker.subscriber<"block">({.dedicated = true}).handle([&](std::string_view) { release.acquire(); });
    broker.start();
    broker.publish("block", "");
    broker.ping();
    broker.publish("other", "");
    CHECK(eventually([&] { return others == 8; }));
    release.release();
    CHECK(broker.stop());
}

TEST_CASE("a subscriber that cannot keep up drops beyond its limit, says so once a second, and counts") {
    testing::NatsServer server;
    const auto workers = GENERATE(std::size_t{0}, std::size_t{2});
    std::atomic<int> slow_events = 0;
    std::binary_semaphore release{0};
    std::atomic<bool> open = false;
    Broker broker{{.servers = {server.url()}, .on_event = [&](const ConnectionEvent& event) {
                       if (event.kind == ConnectionEvent::Kind::slow_consumer) {
                           testing::must(event.subject == "flood.{n}");
                           ++slow_events;
                       }
                   }}};
    auto subscriber =
        broker.subscriber<"flood.{n}">({.workers = workers, .max_pending_messages = 10}).handle([&](std::string_view) {
            while (!open) {
                if (release.try_acquire_for(50ms)) open = true;
            }
        });
    broker.start();
    for (int i = 0; i < 1'000; ++i) broker.publish("flood.1", "x");
    broker.ping();
    REQUIRE(eventually([&] { return subscriber.stats().dropped > 0 && slow_events > 0; }));
    release.release();
    CHECK(broker.stop());
    const auto stats = subscriber.stats();
    CHECK(stats.received + stats.dropped == 1'000);
    CHECK(stats.received >= 10);
    CHECK(broker.stats().dropped == stats.dropped);
    CHECK(slow_events < 200);  // one a second, not for each of the hundreds dropped
}

TEST_CASE_METHOD(Fixture, "subscribers come and go while the broker runs") {
    broker.start();
    std::atomic<int> received = 0;
    auto subscriber = broker.subscriber<"dynamic">().handle([&](std::string_view) { ++received; });
    broker.publish("dynamic", "");
    CHECK(eventually([&] { return received == 1; }));
    CHECK(subscriber.subject() == "dynamic");
    subscriber.stop();
    broker.publish("dynamic", "");
    broker.ping();
    CHECK(received == 1);
    CHECK(subscriber.stats().received == 1);

    auto again = broker.subscriber<"dynamic">({.max_messages = 2}).handle([&](std::string_view) { ++received; });
    for (int i = 0; i < 5; ++i) broker.publish("dynamic", "");
    broker.ping();
    CHECK(eventually([&] { return received == 3; }));
    CHECK(broker.stop());
    CHECK(received == 3);
    CHECK(broker.stats().received == 3);
}

TEST_CASE_METHOD(Fixture, "stopped subscribers are forgotten, their counts are not") {
    broker.start();
    for (int i = 0; i < 50; ++i) {
        auto stream = broker.subscriber("gone").messages();
        broker.publish("gone", "x");
        REQUIRE(stream.next(5s));
    }
    auto last = broker.subscriber("gone").messages();
    CHECK(broker.stats().subscribers <= 2);
    CHECK(broker.stats().received == 50);
}

TEST_CASE_METHOD(Fixture, "next waits for a message, and the range ends when the subscription does") {
    auto stream = broker.subscriber("stream.>").messages();
    broker.start();
    CHECK_FALSE(stream.next(10ms));
    for (int i = 0; i < 3; ++i) broker.publish("stream.a", std::to_string(i));
    CHECK(stream.next(5s)->text() == "0");

    std::jthread stopper{[&] {
        eventually([&] { return stream.stats().received == 3; });
        stream.stop();
    }};
    std::vector<std::string> rest;
    for (const auto& message : stream) rest.emplace_back(message.text());
    CHECK(rest == std::vector<std::string>{"1", "2"});
    CHECK_FALSE(stream.next());
}

TEST_CASE_METHOD(Fixture, "a range ends when its broker stops, also if it never ran") {
    auto stream = broker.subscriber("quiet").messages();
    const bool started = GENERATE(true, false);
    if (started) broker.start();
    std::jthread stopper{[&] { broker.stop(); }};
    for (const auto& message : stream) FAIL(message.subject());
}

TEST_CASE("without a server a subscriber and a stream stop at once, when what has arrived is handled") {
    testing::NatsServer server;
    std::binary_semaphore lost{0};
    std::binary_semaphore go_on{0};
    std::atomic<int> handled = 0;
    Broker broker{{.servers = {server.url()}, .stop_timeout = 60s, .on_event = [&](const ConnectionEvent& event) {
                       if (event.kind == ConnectionEvent::Kind::disconnected) lost.release();
                   }}};
    auto idle = broker.subscriber<"idle">().handle([](std::string_view) {});
    auto busy = broker.subscriber<"busy">().handle([&](std::string_view) {
        if (++handled == 1) go_on.acquire();
    });
    auto stream = std::make_unique<MessageStream>(broker.subscriber("stream").messages());
    broker.start();
    for (int i = 0; i < 5; ++i) broker.publish("busy", "");
    broker.publish("stream", "x");
    broker.ping();
    REQUIRE(eventually([&] { return handled == 1 && busy.stats().pending == 4; }));
    REQUIRE(stream->next(5s));
    server.stop();
    lost.acquire();

    auto stopped = std::async(std::launch::async, [&] { idle.stop(); });
    CHECK(stopped.wait_for(20s) == std::future_status::ready);
    stopped = std::async(std::launch::async, [&] { stream = nullptr; });
    CHECK(stopped.wait_for(20s) == std::future_status::ready);
    stopped = std::async(std::launch::async, [&] { busy.stop(); });
    CHECK(stopped.wait_for(50ms) == std::future_status::timeout);  // it waits for its handler
    go_on.release();
    CHECK(stopped.wait_for(20s) == std::future_status::ready);
    CHECK(handled == 5);
}

TEST_CASE("two brokers in a process do not disturb each other") {
    testing::NatsServer server;
    Broker first{{.servers = {server.url()}, .name = "first"}};
    auto inbox = first.subscriber("between").messages();
    first.start();
    {
        Broker second{{.servers = {server.url()}, .name = "second"}};
        second.subscriber<"ask">().handle([](const Add& add) { return Sum{add.a + add.b}; });
        second.start();
        second.publish("between", "hi");
        CHECK(inbox.next(5s)->text() == "hi");
        CHECK(first.request<Sum>("ask", Add{1, 1}).value == 2);
    }
    CHECK(first.try_request<Sum>("ask", Add{1, 1}).error().code() == Condition::no_responders);
    CHECK(first.ping() > 0ns);
}

TEST_CASE_METHOD(Fixture, "cnats's own objects can be reached") {
    auto stream = broker.subscriber("native").messages();
    CHECK(native::connection(broker) == nullptr);
    broker.start();
    REQUIRE(natsConnection_PublishString(native::connection(broker), "native", "by hand") == NATS_OK);
    const auto message = stream.next(5s);
    REQUIRE(message);
    CHECK(std::string_view{natsMsg_GetData(native::native(*message))} == "by hand");
    CHECK(native::connection(broker, Lane::deliveries) != native::connection(broker, Lane::replies));
}
