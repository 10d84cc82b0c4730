// SPDX-License-Identifier: Apache-2.0
// A consumer or a stream that is gone, and another one under its name: whose messages are whose.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::Both;
using freshet::testing::deliveries;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

const js::Stream in_memory{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

/// A server whose streams are in memory, and brokers that come back to it soon.
struct MemoryStoreFixture {
    MemoryStoreFixture() {
        other.start();
        other.jetstream().declare(in_memory);
    }
    BrokerOptions options() const {
        return {.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}, .logger = log.logger()};
    }
    bool publish(const std::string& body) {
        return eventually([&] { return other.jetstream().try_publish("orders.eu", body, {.timeout = 1s}).has_value(); },
                          60s);
    }

    NatsServer server{{.jetstream = true}};
    LogLines log;
    Broker other{{.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}}};
    Broker broker{options()};
};

}  // namespace

TEST_CASE_METHOD(MemoryStoreFixture,
                 "a late acknowledgement is not taken for that of a message of a stream made anew") {
    const bool killed = GENERATE(true, false);
    CAPTURE(killed);
    Seen seen;
    std::latch release{1};
    js::Pull pull{.stream = in_memory, .durable = "worker", .workers = 2, .retry = {.backoff = {300ms}}};
    pull.heartbeat = 500ms;
    broker.subscriber<"orders.*">(pull).handle([&](const Message& message) {
        seen.add(text(message) + deliveries(message));
        if (text(message) == "A") return release.wait();
        if (message.metadata()->deliveries > 1) return;
        release.count_down();  // A is acknowledged while B waits for its next attempt
        throw std::runtime_error{"not yet"};
    });
    broker.start();
    REQUIRE(publish("A"));
    REQUIRE(seen.wait_for(1));
    if (killed) {
        server.kill();
        server.restart();
    } else {
        other.jetstream().stream("ORDERS").remove();
        other.jetstream().declare(in_memory);
    }
    REQUIRE(publish("B"));
    CHECK(seen.wait_for(3));
    CHECK(seen.all() == std::vector<std::string>{"A1", "B1", "B2"});
    CHECK_THAT(log.wait_for("was deleted and created again"),
               ContainsSubstring("1 message that the old one delivered"));
}

TEST_CASE_METHOD(MemoryStoreFixture,
                 "a message of a consumer that is gone is not confirmed, whoever made the next one") {
    Seen seen;
    std::atomic<int> confirmed = 0;
    std::latch release{1};
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .workers = 2, .heartbeat = 500ms})
        .handle([&](const Message& message, Context& context) {
            seen.add(text(message));
            if (text(message) != "A") return;
            release.wait();
            context.ack_sync();
            ++confirmed;
        });
    broker.start();
    REQUIRE(publish("A"));
    REQUIRE(seen.wait_for(1));
    other.jetstream().stream("ORDERS").remove();
    other.jetstream().declare(in_memory);
    other.jetstream().consumer("ORDERS", "worker").declare({.filter_subjects = {"orders.*"}});
    REQUIRE(publish("B"));
    REQUIRE(seen.wait_for(2));
    release.count_down();
    CHECK_THAT(log.wait_for("ack_sync"), ContainsSubstring("the consumer that delivered this message was deleted"));
    CHECK(confirmed == 0);
}

TEST_CASE_METHOD(Both, "a delivery that a program holds is not settled when its stream was made anew") {
    auto& test = start();
    const auto jetstream = broker.jetstream();
    const auto consumer = jetstream.consumer("ORDERS", "worker");
    jetstream.declare(orders);
    consumer.declare({.ack_wait = 1h});
    auto messages = consumer.messages({.heartbeat = 500ms});
    test.client().jetstream().publish("orders.eu", std::string{"A"});
    const auto first = messages.next(20s);
    REQUIRE(first);
    jetstream.stream("ORDERS").remove();
    jetstream.declare(orders);
    consumer.declare({.ack_wait = 1h});
    test.client().jetstream().publish("orders.eu", std::string{"B"});
    std::optional<js::Delivery> second;
    while (!second) {
        try {
            second = messages.next(60s);
            REQUIRE(second);
        } catch (const Error& error) {
            CHECK((error == Errc::stream_not_found || error == Errc::consumer_not_found));
        }  // told once; it goes on
    }
    CHECK(second->message().text() == "B");
    first->ack();
    CHECK_THROWS_AS(first->ack_sync(), Error);
    CHECK(consumer.info().ack_pending == 1);
    second->ack_sync();
    CHECK(consumer.info().ack_pending == 0);
}

TEST_CASE_METHOD(PullFixture, "a durable that is deleted while the program runs goes on behind what was settled") {
    const bool push = GENERATE(false, true);
    CAPTURE(push);
    Seen seen;
    const auto handler = [&](const Message& message) {
        seen.add(text(message));
        if (text(message) == "failing" && std::ranges::count(seen.all(), "failing") == 1) throw Nack{1h};
    };
    if (push) {
        broker.subscriber<"orders.*">(js::Push{.stream = "ORDERS", .durable = "worker", .heartbeat = 500ms})
            .handle(handler);
    } else {
        broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .heartbeat = 500ms})
            .handle(handler);
    }
    publish(20);
    broker.start();
    REQUIRE(seen.wait_for(20));
    REQUIRE(all_settled());
    consumer().remove();
    publish("after");
    CHECK(seen.wait_for(21));
    CHECK(seen.all().back() == "after");
    CHECK_THAT(log.wait_for("created again"), ContainsSubstring("begins with message 21"));
    CHECK(log.find("created again").starts_with("warning"));

    publish("failing");
    REQUIRE(seen.wait_for(22));
    publish("behind it");
    REQUIRE(seen.wait_for(23));
    REQUIRE(eventually([&] { return consumer().info().ack_pending == 1; }));
    consumer().remove();
    publish("last");
    CHECK(eventually([&] { return seen.count() >= 26 && all_settled(); }));
    const auto all = seen.all();
    CHECK(std::ranges::count(all, "failing") == 2);  // it was not settled
    CHECK(std::ranges::count(all, "last") == 1);
    CHECK(std::ranges::count(all, "1") == 1);
}

TEST_CASE_METHOD(PullFixture,
                 "an ephemeral consumer that is gone goes on where it stood, also before its first message") {
    Seen seen;
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::fresh}, .heartbeat = 500ms})
        .handle([&](const Message& message) { seen.add(text(message)); });
    publish("before");
    broker.start();
    const auto remove = [&] {
        const auto infos = other.jetstream().consumers("ORDERS");
        for (const auto& info : infos) consumer(info.name).remove();
        return infos.size() == 1;
    };
    REQUIRE(remove());
    publish("1");
    CHECK(seen.wait_for(1));
    REQUIRE(eventually(remove));
    publish("2");
    CHECK(seen.wait_for(2));
    CHECK(seen.all() == std::vector<std::string>{"1", "2"});
}

TEST_CASE_METHOD(PullFixture, "a work queue whose consumer is deleted goes on with what is in it") {
    other.jetstream().declare({.name = "JOBS", .subjects = {"jobs.>"}, .retention = js::Retention::workqueue});
    Seen seen;
    broker.subscriber<"jobs.*">(js::Pull{.stream = "JOBS", .durable = "worker", .heartbeat = 500ms})
        .handle([&](const Message& message) { seen.add(text(message)); });
    publish("1", "jobs.a");
    broker.start();
    REQUIRE(eventually([&] { return other.jetstream().stream("JOBS").info().state.messages == 0; }));
    other.jetstream().consumer("JOBS", "worker").remove();
    publish("2", "jobs.a");
    CHECK(seen.wait_for(2));
    CHECK(seen.all() == std::vector<std::string>{"1", "2"});
}

TEST_CASE_METHOD(PullFixture, "a push consumer of another program that is deleted is made anew as it was") {
    other.request<std::string>("$JS.API.CONSUMER.CREATE.ORDERS.worker",
                               std::string{
                                   R"({"stream_name":"ORDERS","config":{"name":"worker","durable_name":"worker",)"
                                   R"("deliver_subject":"theirs","filter_subject":"orders.*",)"
                                   R"("idle_heartbeat":500000000,"ack_policy":"explicit"}})"});
    Seen seen;
    broker.subscriber<"orders.*">(js::Push{.stream = "ORDERS", .durable = "worker", .heartbeat = 500ms})
        .handle([&](const Message& message) { seen.add(text(message)); });
    publish("1");
    broker.start();
    REQUIRE(seen.wait_for(1));
    consumer().remove();
    publish("2");
    CHECK(seen.wait_for(2));
    const auto raw = other.request<std::string>("$JS.API.CONSUMER.INFO.ORDERS.worker", std::string{});
    CHECK_THAT(raw, ContainsSubstring(R"("deliver_subject":"theirs")"));
    // Somebody moves it.
    other.request<std::string>("$JS.API.CONSUMER.CREATE.ORDERS.worker",
                               std::string{R"({"stream_name":"ORDERS","action":"update","config":{"name":"worker",)"
                                           R"("durable_name":"worker","deliver_subject":"elsewhere",)"
                                           R"("deliver_policy":"by_start_sequence","opt_start_seq":2,)"
                                           R"("filter_subject":"orders.*","idle_heartbeat":500000000,)"
                                           R"("flow_control":true,"ack_policy":"explicit","max_deliver":-1,)"
                                           R"("ack_wait":30000000000,"max_ack_pending":1000}})"});
    publish("3");
    CHECK(seen.wait_for(3));
}

TEST_CASE_METHOD(MemoryStoreFixture, "an ordered subscriber declares its stream again when that is lost") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Ordered{.stream = in_memory, .heartbeat = 500ms})
        .handle([&](const Message& message) { seen.add(text(message)); });
    REQUIRE(publish("1"));
    broker.start();
    REQUIRE(seen.wait_for(1));
    server.kill();
    server.restart();
    REQUIRE(publish("2"));
    CHECK(seen.wait_for(2));
}
