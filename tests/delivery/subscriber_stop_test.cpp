// SPDX-License-Identifier: Apache-2.0
// How subscribers end: by their own stop, by the broker's, in time and too late, while they start, in their own
// handlers.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/testing/virtual_clock.hpp>

#include "../support/delivering_transport.hpp"
#include "../support/ends.hpp"
#include "../support/log_lines.hpp"
#include "../support/must.hpp"
#include "../support/no_threads.hpp"
#include "../support/wait.hpp"
#include "broker/broker_core.hpp"
#include "delivery/message_queue.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using detail::BrokerCore;
using detail::SubscriberCore;
using freshet::testing::ends;
using freshet::testing::eventually;

namespace {

struct Fixture {
    explicit Fixture(BrokerOptions options = {})
        : core{std::make_unique<BrokerCore>(owner, std::move(options), [this](const BrokerOptions&) {
              auto made = std::make_unique<testing::DeliveringTransport>();
              transport = made.get();
              return made;
          })} {}

    template <class F>
    std::shared_ptr<SubscriberCore> add(std::string subject, SubscriberOptions options, F handler) {
        detail::SubscriberSpec spec{.subject = std::move(subject), .options = std::move(options)};
        spec.handler = detail::make_handler<detail::RuntimeSubject, false>(std::move(handler));
        return core->add(std::move(spec));
    }

    Broker owner = Broker{};
    testing::DeliveringTransport* transport = nullptr;
    std::unique_ptr<BrokerCore> core;
};

/// Holds handlers until the test opens it, for good.
class Gate {
public:
    void pass() {
        ++inside_;
        open_.wait(false);
    }
    int inside() const { return inside_; }
    bool wait_for(int count) const {
        return eventually([&] { return inside_ >= count; });
    }
    void open() {
        open_ = true;
        open_.notify_all();
    }

private:
    std::atomic<int> inside_ = 0;
    std::atomic<bool> open_ = false;
};

/// Starts a broker while no thread can be made; what start() threw, as text.
std::string start_without_threads(BrokerCore& core) {
    const testing::NoThreads none;
    try {
        core.start();
    } catch (const std::exception& error) { return error.what(); }
    return "it started";
}

std::size_t threads_of_this_process() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"}) count += entry.exists() ? 1 : 0;
    return count;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a stop during the start ends the streams that were not reached") {
    add("first", {}, [&](std::string_view) { core->stop(1s); });
    auto [subscriber, queue] = detail::open_stream(*core, {.subject = "second"});
    transport->on_subscribe = [](const std::string& subject, const std::shared_ptr<MessageSink>& sink) {
        if (subject == "first") sink->on_message(Message::make("first"));
    };
    core->start();
    CHECK(core->stop(5s));
    CHECK(subscriber->finished());
    auto next = std::async(std::launch::async, [&queue = *queue] { return queue.pop(); });
    CHECK(next.wait_for(5s) == std::future_status::ready);
    queue->close();
}

TEST_CASE("a stop of a subscriber that races the start of its broker is not lost") {
    testing::LogLines log;
    for (int i = 0; i < 3'000; ++i) {
        Fixture fixture{{.logger = log.logger()}};
        auto subscriber = fixture.add("orders", {}, [](std::string_view) {});
        std::atomic<int> ready = 0;
        const auto meet = [&] {
            ++ready;
            while (ready < 2) continue;
        };
        {
            const std::jthread stopper{[&] {
                meet();
                for (std::atomic<int> pause = i % 100 * 100; pause > 0;)
                    --pause;  // to come at all moments of the start
                subscriber->stop();
            }};
            meet();
            fixture.core->start();
        }
        const bool ended = eventually([&] { return fixture.transport->open() == 0; }, 2s);
        if (!ended || !subscriber->finished()) FAIL("round " << i);
        REQUIRE(fixture.core->stop(5s));
    }
}

TEST_CASE_METHOD(Fixture, "a stop that comes while the source starts reaches it") {
    std::binary_semaphore starting{0};
    std::binary_semaphore go_on{0};
    auto subscriber = add("orders", {}, [](std::string_view) {});
    transport->on_subscribe = [&](const std::string&, const std::shared_ptr<MessageSink>&) {
        starting.release();
        go_on.acquire();
    };
    std::jthread starter{[&] { core->start(); }};
    starting.acquire();
    subscriber->begin_stop(1s);
    go_on.release();
    starter.join();
    CHECK(eventually([&] { return subscriber->finished(); }));
    CHECK(transport->open() == 0);
    CHECK(core->stop(5s));
}

TEST_CASE_METHOD(Fixture, "batches that wait when a stop's time is over are dropped, and counted") {
    Gate gate;
    auto subscriber = add("orders", {.batch = {.size = 1}}, [&](std::span<const std::string>) { gate.pass(); });
    core->start();
    transport->deliver("orders", 5);
    REQUIRE(gate.wait_for(1));
    REQUIRE(eventually([&] { return subscriber->stats().pending == 4; }));
    CHECK_FALSE(core->stop(50ms));
    gate.open();
    core.reset();
    CHECK(gate.inside() == 1);
    CHECK(subscriber->stats().received == 1);
    CHECK(subscriber->stats().dropped == 4);
    CHECK(subscriber->stats().pending == 0);
}

TEST_CASE_METHOD(
    Fixture, "what waits for workers is dropped when a stop's time is over, also if a neighbour blocks the delivery") {
    Gate neighbour;
    Gate gate;
    auto subscriber = add("orders", {.workers = 2}, [&](std::string_view) { gate.pass(); });
    add("neighbour", {}, [&](std::string_view) { neighbour.pass(); });
    core->start();
    transport->deliver("orders", 7);
    REQUIRE(gate.wait_for(2));
    REQUIRE(eventually([&] { return subscriber->stats().pending == 5; }));
    transport->deliver("neighbour", 1);
    REQUIRE(neighbour.wait_for(1));
    CHECK_FALSE(core->stop(50ms));
    gate.open();
    CHECK(eventually([&] { return subscriber->stats().dropped == 5; }));
    neighbour.open();
    core.reset();
    CHECK(gate.inside() == 2);
    CHECK(subscriber->stats().received == 2);
}

TEST_CASE_METHOD(Fixture, "what the transport still delivers when a stop's time is over is dropped") {
    const auto workers = GENERATE(std::size_t{0}, std::size_t{2});
    Gate gate;
    auto subscriber = add("orders", {.workers = workers}, [&](std::string_view) {});
    add("neighbour", {}, [&](std::string_view) { gate.pass(); });
    core->start();
    transport->deliver("neighbour", 1);
    REQUIRE(gate.wait_for(1));
    transport->deliver("orders", 5);
    subscriber->begin_stop(50ms);
    CHECK_FALSE(subscriber->finish_stop(std::chrono::steady_clock::now() + 50ms));
    gate.open();
    CHECK(core->stop(5s));
    CHECK(subscriber->stats().received == 0);
}

TEST_CASE_METHOD(Fixture, "batches have the bounds that everything has that waits") {
    Gate gate;
    auto subscriber = add("orders", {.max_pending_messages = 100, .batch = {.size = 10}},
                          [&](std::span<const std::string>) { gate.pass(); });
    core->start();
    transport->deliver("orders", 10);
    REQUIRE(gate.wait_for(1));
    transport->deliver("orders", 1'000);
    CHECK(eventually([&] { return subscriber->stats().dropped == 900; }));
    CHECK(subscriber->stats().pending == 100);
    CHECK(subscriber->stats().received == 10);
    gate.open();
    CHECK(core->stop(5s));
    CHECK(subscriber->stats().received == 110);
    CHECK(subscriber->stats().pending == 0);
}

TEST_CASE_METHOD(Fixture, "the bytes that wait for batches are bounded, too") {
    Gate gate;
    auto subscriber = add("orders", {.max_pending_bytes = 25, .batch = {.size = 1}},
                          [&](std::span<const std::string>) { gate.pass(); });
    core->start();
    transport->deliver("orders", 1);
    REQUIRE(gate.wait_for(1));
    transport->deliver("orders", 5, "0123456789");
    CHECK(eventually([&] { return subscriber->stats().dropped == 3; }));
    CHECK(subscriber->stats().pending == 2);
    gate.open();
    CHECK(core->stop(5s));
}

TEST_CASE("the timers of batches that were handled are gone") {
    Fixture fixture;
    const auto clock = std::make_shared<testing::VirtualClock>();
    fixture.core->prepare({.make_transport =
                               [&](const BrokerOptions&) {
                                   auto made = std::make_unique<testing::DeliveringTransport>();
                                   fixture.transport = made.get();
                                   return made;
                               },
                           .clock = clock,
                           .observer = nullptr});
    auto subscriber = fixture.add("orders", {.batch = {.size = 2, .within = 1h}}, [](std::span<const std::string>) {});
    fixture.core->start();
    fixture.transport->deliver("orders", 201);
    REQUIRE(eventually([&] { return subscriber->stats().received == 200; }));
    CHECK(eventually([&] { return clock->scheduled() <= 1; }));
    CHECK(fixture.core->stop(5s));
    CHECK(subscriber->stats().received == 201);
    CHECK(clock->scheduled() == 0);
}

TEST_CASE_METHOD(Fixture, "a start that fails drops what waits for workers") {
    Gate gate;
    auto subscriber = add("orders", {.workers = 1}, [&](std::string_view) { gate.pass(); });
    add("refused", {}, [](std::string_view) {});
    transport->on_subscribe = [&](const std::string& subject, const std::shared_ptr<MessageSink>&) {
        if (subject != "refused") return;
        transport->deliver("orders", 5);
        testing::must(gate.wait_for(1) && eventually([&] { return subscriber->stats().pending == 4; }));
        raise({Errc::unauthorized, "no"});
    };
    std::jthread opener{[&] {
        gate.wait_for(1);
        eventually([&] { return subscriber->stats().dropped == 4; });
        gate.open();
    }};
    CHECK_THROWS_AS(core->start(), Error);
    CHECK(gate.inside() == 1);
    CHECK(subscriber->finished());
}

TEST_CASE_METHOD(Fixture, "a subscriber whose threads cannot be made is an error of the start") {
    const bool batches = GENERATE(true, false);
    if (batches) add("orders", {.batch = {.size = 1}}, [](std::span<const std::string>) {});
    else add("orders", {.workers = 2}, [](std::string_view) {});
    core->prepare({.clock = std::make_shared<testing::VirtualClock>()});  // needs no thread
    CHECK_THAT(start_without_threads(*core), ContainsSubstring("subscriber \"orders\"") && ContainsSubstring("thread"));
    transport->deliver("orders", 1);
}

TEST_CASE_METHOD(Fixture, "a broker that can make no thread for its deadlines does not start") {
    add("orders", {}, [](std::string_view) {});
    CHECK_THAT(start_without_threads(*core), ContainsSubstring("cannot make the thread that watches deadlines"));
    CHECK(transport->open() == 0);
}

TEST_CASE_METHOD(Fixture, "subscribers with threads that end by themselves leave nothing behind") {
    std::ignore = Message::make("orders");  // the client library starts threads of its own at the first message
    core->start();
    const auto before = threads_of_this_process();
    const auto how = GENERATE(0, 1, 2);
    constexpr int count = 25;
    std::atomic<int> handled = 0;
    for (int i = 0; i < count; ++i) {
        const auto self = std::make_shared<std::weak_ptr<SubscriberCore>>();
        const auto subject = "orders." + std::to_string(i);
        SubscriberOptions options{.workers = 2, .max_messages = how == 0 ? 1u : 0u};
        if (how == 2) options.batch = {.size = 1};
        std::shared_ptr<SubscriberCore> subscriber;
        const auto stop = [self, how, &handled] {
            if (how != 0) self->lock()->stop();
            ++handled;
        };
        if (how == 2) subscriber = add(subject, options, [stop](std::span<const std::string>) { stop(); });
        else subscriber = add(subject, options, [stop](std::string_view) { stop(); });
        *self = subscriber;
        transport->deliver(subject, 1);
        REQUIRE(eventually([&] { return subscriber->finished(); }, 5s));
    }
    CHECK(handled == count);
    CHECK(core->stats().subscribers == 0);
    CHECK(core->stats().received == count);
    CHECK(eventually([&] { return threads_of_this_process() <= before + 1; }));  // the clock has one
    CHECK(core->stop(5s));
}

TEST_CASE("one failure that comes again and again is summed up after ten lines a second") {
    testing::LogLines log;
    Fixture fixture{{.logger = log.logger()}};
    auto subscriber = fixture.add("orders", {}, [](int) {});
    fixture.core->start();
    fixture.transport->deliver("orders", 1'000, "not a number");
    REQUIRE(eventually([&] { return subscriber->stats().rejected == 1'000; }));
    CHECK(fixture.core->stop(5s));
    const auto lines = log.all();
    const auto rejected = std::ranges::count_if(lines, [](const auto& line) {
        return line.find("message rejected") != std::string::npos;
    });
    CHECK(rejected >= 10);
    CHECK(rejected < 200);
    CHECK(!log.find("more failures of the same kind").empty());
}

TEST_CASE("a start that fails waits for handlers no longer than stop_timeout, and the broker's end waits for them") {
    Fixture of{{.stop_timeout = 10ms}};
    Gate gate;
    std::atomic<bool> returned = false;
    of.add("first", {.dedicated = GENERATE(false, true)}, [&](std::string_view) {
        gate.pass();
        returned = true;
    });
    of.add("second", {}, [](std::string_view) {});
    of.transport->on_subscribe = [&](const std::string& subject, const auto&) {
        if (subject != "second") return;
        of.transport->deliver("first");
        testing::must(gate.wait_for(1));
        raise({Errc::unauthorized, "no"});
    };
    CHECK(ends([&] {
        try {
            of.core->start();
            testing::must(false);
        } catch (const Error& error) { testing::must(error.code() == Errc::unauthorized); }
    }));
    CHECK_FALSE(of.core->handlers_done());
    CHECK_FALSE(returned);
    gate.open();
    of.core->end(10ms);
    CHECK(returned);
    CHECK(of.core->handlers_done());
}
