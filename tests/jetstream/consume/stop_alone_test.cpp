// SPDX-License-Identifier: Apache-2.0
// The stop of what gets messages from JetStream, while nobody is there to answer.
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/log_lines.hpp"
#include "../../support/no_threads.hpp"
#include "../../support/server.hpp"
#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;  // longer than a test waits

struct Fixture {
    testing::NatsServer server = testing::NatsServer{{.jetstream = true}};
    testing::LogLines log = testing::LogLines{};
    std::optional<Broker> broker{
        std::in_place, BrokerOptions{.servers = {server.url()}, .stop_timeout = patience, .logger = log.logger()}};

    static js::Pull pull(std::string durable = "d") {
        return {.stream = js::Stream{.name = "S", .subjects = {"s.>"}},
                .durable = std::move(durable),
                .expires = 1s,
                .heartbeat = 100ms,
                .context = {.timeout = patience}};
    }

    /// Has the consumer looked for at a server that does not answer, and then takes the server away.
    void lose_server() {
        server.pause();
        REQUIRE(!log.wait_for("not even a heartbeat").empty());
        server.kill();
        REQUIRE(!log.wait_for("disconnected").empty());
    }

    void check_ends(std::function<void()> stop) {
        const auto stopped = std::async(std::launch::async, std::move(stop));
        CHECK(stopped.wait_for(20s) == std::future_status::ready);
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a subscriber stops without waiting for a server that is gone") {
    auto subscriber = broker->subscriber<"s.x">(pull()).handle([](std::string_view) {});
    broker->start();
    lose_server();
    check_ends([&] { subscriber.stop(); });
}

TEST_CASE_METHOD(Fixture, "a loop over messages is destroyed without waiting for a server that is gone") {
    broker->start();
    const auto js = broker->jetstream();
    js.declare({.name = "S", .subjects = {"s.>"}});
    const auto consumer = js.consumer("S", "d");
    consumer.declare({});
    auto deliveries = std::make_unique<js::Deliveries>(consumer.messages({.heartbeat = 100ms}));
    lose_server();
    check_ends([&] { deliveries.reset(); });
}

TEST_CASE_METHOD(Fixture, "a broker stops without waiting for the consumers of a server that is gone") {
    broker->subscriber<"s.x">(pull()).handle([](std::string_view) {});
    broker->start();
    lose_server();
    check_ends([&] { broker->stop(); });
}

TEST_CASE_METHOD(Fixture, "a broker goes after the messages that were taken from a consumer, whose server is gone") {
    broker->start();
    auto js = broker->jetstream({.timeout = patience});
    js.declare({.name = "S", .subjects = {"s.>"}});
    auto consumer = js.consumer("S", "d");
    consumer.declare({});
    auto deliveries = std::make_unique<js::Deliveries>(consumer.messages({.heartbeat = 100ms}));
    lose_server();
    check_ends([&] {
        deliveries.reset();
        broker.reset();
    });
}

TEST_CASE_METHOD(Fixture, "a subscriber is stopped while it declares its consumer at a server that does not answer") {
    broker->start();
    server.pause();
    auto declared =
        std::async(std::launch::async, [&] { broker->subscriber<"s.x">(pull()).handle([](std::string_view) {}); });
    REQUIRE(testing::eventually([&] { return broker->stats().requests_in_flight > 0; }));
    check_ends([&] { broker->stop(100ms); });
    server.resume();
    check_ends([&] { declared.wait(); });
}

TEST_CASE_METHOD(Fixture, "a broker is stopped, or destroyed, when a watch has caught up") {
    const bool destroys = GENERATE(false, true);
    std::atomic<bool> caught_up = false;
    broker
        ->subscriber<">">(kv::Watch{.bucket = "B",
                                    .caught_up =
                                        [&] {
                                            if (destroys) broker.reset();
                                            else broker->stop();
                                            caught_up = true;
                                        }})
        .handle([](const Message&) {});
    {
        Broker other{{.servers = {server.url()}}};
        other.start();
        auto bucket = other.kv<std::string>("B");
        bucket.put("k", "v");  // the handler has the last of it when the watch catches up
        other.stop();
    }
    auto& own = *broker;
    check_ends([&] { own.start(); });
    REQUIRE(testing::eventually([&] { return caught_up.load(); }));
    check_ends([&] { broker.reset(); });
}

TEST_CASE_METHOD(Fixture, "what was made from a broker may be asked, and stopped, after the broker") {
    auto pulled = broker->subscriber<"s.x">(pull()).handle([](std::string_view) {});
    auto ordered = broker->subscriber<"s.>">(js::Ordered{.stream = "S"}).handle([](std::string_view) {});
    auto watch = broker->subscriber<">">(kv::Watch{.bucket = "B"}).handle([](const Message&) {});
    auto objects = broker->subscriber<">">(obj::Watch{.bucket = "F"}).handle([](const Message&) {});
    auto stream = std::make_unique<MessageStream>(broker->subscriber<"s.y">().messages());
    broker->start();
    broker.reset();
    for (auto* const each : {&pulled, &ordered, &watch, &objects}) {
        each->stop();
        CHECK(each->stats().pending == 0);
    }
    CHECK(!stream->next());
    CHECK(stream->stats().pending == 0);
    stream.reset();
}

TEST_CASE_METHOD(Fixture, "watchers and Deliveries end with their broker") {
    broker->start();
    auto js = broker->jetstream();
    js.declare({.name = "S", .subjects = {"s.>"}});
    auto consumer = js.consumer("S", "d");
    consumer.declare({});
    auto deliveries = consumer.messages();
    auto watcher = broker->kv<std::string>("B").watch();
    auto objects = broker->object_store("F").watch();
    auto all = std::async(std::launch::async,
                          [&] { return !watcher.next() && !objects.next() && deliveries.begin() == deliveries.end(); });
    check_ends([&] { broker->stop(); });
    REQUIRE(all.wait_for(20s) == std::future_status::ready);
    CHECK(all.get());
}

TEST_CASE_METHOD(Fixture, "a consumer that was lost is looked after when a thread for it can be made again") {
    std::atomic<int> handled = 0;
    broker->subscriber<"s.x">(pull()).handle([&](std::string_view) { ++handled; });
    broker->start();
    auto js = broker->jetstream();
    {
        const testing::NoThreads none;
        js.consumer("S", "d").remove();
        CHECK(!log.wait_for("cannot make the thread").empty());
    }
    js.publish("s.x", "x");
    CHECK(testing::eventually([&] { return handled == 1; }));
}
