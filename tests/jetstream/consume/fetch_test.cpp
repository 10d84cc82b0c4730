// SPDX-License-Identifier: Apache-2.0
// Consumers in programs that are not services: fetch, next and messages().
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/must.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::Both;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;
using freshet::testing::NatsServer;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};
const js::ConsumerConfig slow{.ack_wait = 60s};

std::string text(const js::Delivery& delivery) { return std::string{delivery->text()}; }

}  // namespace

TEST_CASE_METHOD(Both, "a late settlement of a fetched message is not taken for that of a stream made anew") {
    start();
    const auto js = broker.jetstream();
    const auto worker = js.consumer("ORDERS", "worker");
    const auto make = [&](const std::string& body) {
        js.declare(orders);
        worker.declare(slow);
        js.publish("orders.eu", body);
    };
    make("A");
    const auto a = worker.next();
    REQUIRE(a);
    js.stream("ORDERS").remove();
    make("B");
    // Another object of the program reads on.
    const auto b = broker.jetstream().consumer("ORDERS", "worker").next();
    REQUIRE(b);
    CHECK(text(*b) == "B");
    a->ack();
    CHECK_THROWS_AS(a->ack_sync(), Error);
    broker.jetstream().publish("orders.eu", "C");
    CHECK(worker.info().ack_pending == 1);
    b->ack_sync();
    CHECK(worker.info().ack_pending == 0);
    const auto c = worker.next();
    REQUIRE(c);
    c->ack_sync();
    CHECK(worker.info().ack_pending == 0);
}

TEST_CASE("a fetched message of a server that was killed is not settled in the stream made anew") {
    NatsServer server{{.jetstream = true}};
    const ReconnectOptions soon{.min_wait = 10ms, .max_wait = 100ms};
    Broker broker{{.servers = {server.url()}, .reconnect = soon}};
    Broker other{{.servers = {server.url()}, .reconnect = soon}};
    broker.start();
    other.start();
    const auto make = [&](const std::string& body) {
        const auto js = other.jetstream();
        REQUIRE(eventually([&] { return js.try_declare(orders).has_value(); }, 60s));
        js.consumer("ORDERS", "worker").declare(slow);
        js.publish("orders.eu", body);
    };
    make("A");
    const auto a = broker.jetstream().consumer("ORDERS", "worker").next();
    REQUIRE(a);
    server.kill();
    server.restart();
    make("B");
    const auto b = other.jetstream().consumer("ORDERS", "worker").next();
    REQUIRE(b);
    CHECK(text(*b) == "B");
    a->ack();
    CHECK_THROWS_AS(a->ack_sync(), Error);
    broker.ping();
    CHECK(other.jetstream().consumer("ORDERS", "worker").info().ack_pending == 1);
}

TEST_CASE("a fetched message is settled after the connection was lost, if its consumer is still there") {
    NatsServer server{{.jetstream = true}};
    Broker broker{{.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}}};
    broker.start();
    broker.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    const auto worker = broker.jetstream().consumer("ORDERS", "worker");
    worker.declare(slow);
    broker.jetstream().publish("orders.eu", "A");
    const auto a = worker.next();
    REQUIRE(a);
    server.stop();
    server.restart();
    REQUIRE(eventually([&] { return worker.try_info().has_value(); }, 60s));
    a->ack();
    CHECK(eventually([&] { return worker.info().ack_pending == 0; }));
}

TEST_CASE_METHOD(Both, "a slow loop over messages() gets each message once") {
    auto& test = start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({.ack_wait = 1s});
    constexpr int count = 10;
    for (int i = 0; i < count; ++i) js.publish("orders.eu", std::to_string(i));
    auto messages = worker.messages();
    std::vector<std::string> handed;
    for (int i = 0; i < count; ++i) {
        const auto delivery = messages.next(20s);
        REQUIRE(delivery);
        handed.push_back(text(*delivery));
        CHECK(delivery->message().metadata()->deliveries == 1);
        test.advance(500ms);  // the work; in all five times as long as ack_wait
        delivery->ack();
    }
    CHECK_FALSE(messages.next(200ms));
    CHECK(handed.size() == count);
}

TEST_CASE_METHOD(Both, "messages() throws when the consumer is gone, and goes on when it is made anew") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({});
    auto messages = worker.messages({.heartbeat = 500ms});
    worker.remove();
    bool gone = false;
    const auto says_gone = [&] {
        try {
            if (!gone) std::ignore = messages.next(1s);
        } catch (const Error& error) { gone = error == Errc::consumer_not_found; }
        return gone;
    };
    CHECK(pass_until(says_gone));
    worker.declare({});
    js.publish("orders.eu", "A");
    std::optional<js::Delivery> delivery;
    CHECK(pass_until([&] {
        try {
            if (!delivery) delivery = messages.next(1s);
        } catch (const Error&) { return false; }  // from an attempt that was made before
        return delivery.has_value();
    }));
    REQUIRE(delivery);
    CHECK(text(*delivery) == "A");
}

TEST_CASE_METHOD(JetStreamFixture, "messages() and fetch keep the pin of their group, and tell of it") {
    const auto js = started();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({.priority_policy = js::PriorityPolicy::pinned_client, .priority_groups = {"main"}});
    std::vector<js::PinEvent> events;
    const js::Priority pinned{.group = "main", .on_pin = [&](js::PinEvent event) { events.push_back(event); }};
    for (int i = 0; i < 4; ++i) js.publish("orders.eu", std::to_string(i));
    for (int i = 0; i < 2; ++i) {
        const auto fetched = worker.fetch({.within = 5s, .priority = pinned});
        REQUIRE(fetched.size() == 1);
        CHECK(text(fetched[0]) == std::to_string(i));
        fetched[0].ack_sync();
    }
    CHECK(events == std::vector{js::PinEvent::gained});
    worker.unpin("main");
    events.clear();
    auto messages = worker.messages({.priority = {.group = "main"}});
    for (int i = 2; i < 4; ++i) {
        const auto delivery = messages.next(20s);
        REQUIRE(delivery);
        CHECK(text(*delivery) == std::to_string(i));
        delivery->ack_sync();
    }
    CHECK(worker.fetch({.within = 300ms, .priority = pinned}).empty());
    CHECK(events == std::vector{js::PinEvent::lost});
}

TEST_CASE_METHOD(Both, "fetch and messages() refuse to ask for nothing") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare(slow);
    CHECK(worker.try_fetch({.messages = 0}).error().code() == Errc::bad_setup);
    CHECK(worker.try_messages({.prefetch = 0}).error().code() == Errc::bad_setup);
    CHECK(worker.try_messages({.heartbeat = 0ms}).error().code() == Errc::bad_setup);
}
