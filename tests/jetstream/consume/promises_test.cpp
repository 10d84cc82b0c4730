// SPDX-License-Identifier: Apache-2.0
// What a subscriber promises with its settings, and what its consumer makes of it.
#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"
#include "../../support/types.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::Both;
using freshet::testing::deliveries;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

js::Retry quick(std::uint64_t attempts, std::string dead_letter = {}) {
    return {.max_attempts = attempts, .backoff = {10ms}, .dead_letter = std::move(dead_letter)};
}

/// Why the broker does not start.
std::string refusal(Broker& broker) {
    try {
        broker.start();
    } catch (const Error& error) { return error.what(); }
    return "it started";
}

}  // namespace

TEST_CASE_METHOD(PullFixture, "messages that were given back at stops are not given up before a handler saw them") {
    constexpr int count = 20;
    other.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
    publish(count);
    std::atomic<int> handled = 0;
    std::atomic<int> failed = 0;
    const js::Pull pull{.stream = "ORDERS", .durable = "worker", .retry = quick(2, "dead.orders"), .prefetch = count};
    for (int round = 0; round < 4; ++round) {
        std::latch release{1};
        Broker member{{.servers = {server.url()}, .logger = log.logger()}};
        const auto subscriber = member.subscriber<"orders.*">(pull).handle([&](const Message&) {
            release.wait();
            ++handled;
        });
        member.start();
        const auto left = static_cast<std::uint64_t>(count - handled);
        REQUIRE(eventually([&] { return subscriber.stats().pending == left - 1; }));  // and one is handled
        std::thread stopper{[&] { member.stop(20s); }};
        CHECK(eventually([&] { return subscriber.stats().pending == 0; }));  // the others were given back
        release.count_down();
        stopper.join();
    }
    broker.subscriber<"orders.*">(pull).handle([&](const Message& message) {
        if (text(message) == "19" && failed++ == 0) throw std::runtime_error{"not yet"};
        if (text(message) == "20" && ++failed > 0) throw std::runtime_error{"no"};
        ++handled;
    });
    broker.start();
    CHECK(all_settled());
    CHECK(handled == count - 1);
    CHECK(other.jetstream().stream("DEAD").info().state.messages == 1);
}

TEST_CASE_METHOD(PullFixture, "a message that was delivered far more often than attempted is given up unhandled") {
    other.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
    publish("deadly");
    consumer().declare({.filter_subjects = {"orders.*"}});
    for (int i = 0; i < 12; ++i) {
        const auto delivery = consumer().next(20s);
        REQUIRE(delivery);
        delivery->nack();  // as if the program had died
    }
    std::atomic<int> handled = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .retry = quick(2, "dead.orders")})
        .handle([&](const Message&) { ++handled; });
    broker.start();
    CHECK(all_settled());
    CHECK(handled == 0);
    other.jetstream().consumer("DEAD", "reader").declare({});
    const auto letter = other.jetstream().consumer("DEAD", "reader").next();
    REQUIRE(letter);
    CHECK_THAT(std::string{letter->message().header("Dead-Letter-Reason").value_or("")},
               ContainsSubstring("delivered 12 times"));
}

TEST_CASE_METHOD(PullFixture,
                 "a consumer that would make promises of the subscriber false keeps the broker from starting") {
    js::Pull pull{.stream = "ORDERS", .durable = "worker"};
    SECTION("fewer deliveries than attempts") {
        consumer().declare({.filter_subjects = {"orders.*"}, .max_deliver = 2});
        pull.retry = quick(4, "dead.orders");
        broker.subscriber<"orders.*">(pull).handle([](const Message&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("its max_deliver is 2, so that retry.max_attempts 4 is never"));
    }
    SECTION("no payloads for a handler of bodies") {
        consumer().declare({.filter_subjects = {"orders.*"}, .headers_only = true});
        broker.subscriber<"orders.*">(pull).handle([](const Order&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("its headers_only delivers no payloads"));
    }
    SECTION("one acknowledgement for all") {
        consumer().declare({.filter_subjects = {"orders.*"}, .acks = js::Acks::all});
        broker.subscriber<"orders.*">(pull).handle([](const Message&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("its ack_policy is all"));
    }
    SECTION("no acknowledgements") {
        consumer().declare({.filter_subjects = {"orders.*"}, .acks = js::Acks::none});
        broker.subscriber<"orders.*">(pull).handle([](const Message&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("its ack_policy is none"));
    }
    SECTION("less than the subject") {
        consumer().declare({.filter_subjects = {"orders.eu"}});
        broker.subscriber<"orders.*">(pull).handle([](const Message&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("delivers orders.eu only, not all of \"orders.*\""));
    }
    SECTION("also one that must exist") {
        consumer().declare({.filter_subjects = {"orders.*"}, .acks = js::Acks::all});
        pull.declare = js::Declare::never;
        broker.subscriber<"orders.*">(pull).handle([](const Message&) {});
        CHECK_THAT(refusal(broker), ContainsSubstring("its ack_policy is all"));
    }
}

TEST_CASE_METHOD(PullFixture, "what only is slower is said, and so is what keeps promises all the same") {
    SECTION("few unacknowledged messages for many workers") {
        consumer().declare({.filter_subjects = {"orders.*"}, .max_ack_pending = 1});
        broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .workers = 4})
            .handle([](const Message&) {});
        broker.start();
        CHECK(log.find("its max_ack_pending is 1, so that some of the 4 workers").starts_with("warning"));
    }
    SECTION("headers are enough for a handler of messages") {
        consumer().declare({.filter_subjects = {"orders.*"}, .headers_only = true});
        broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([](const Message&) {});
        broker.start();
    }
    SECTION("acknowledgements before the handler") {
        const auto acks = GENERATE(js::Acks::all, js::Acks::none);
        consumer().declare({.filter_subjects = {"orders.*"}, .acks = acks});
        broker
            .subscriber<"orders.*">(js::Pull{
                .stream = "ORDERS", .durable = "worker", .ack_policy = AckPolicy::ack_first})
            .handle([](const Message&) {});
        broker.start();
    }
}

TEST_CASE_METHOD(Both, "as many deliveries as attempts leave none for a message that was given back, which is said") {
    const auto deliveries_of = GENERATE(std::int64_t{0}, std::int64_t{3}, std::int64_t{4});
    broker
        .subscriber<"orders.*">(js::Pull{.stream = orders,
                                         .durable = "worker",
                                         .consumer = {.max_deliver = deliveries_of},
                                         .retry = quick(3, "dead.orders")})
        .handle([](const Message&) {});
    start();
    const auto said = log.find("as many as retry.max_attempts: a message that was given back at a stop");
    CHECK(said.starts_with("warning") == (deliveries_of == 3));
}

TEST_CASE_METHOD(Both, "a program's own settings that contradict each other keep the broker from starting") {
    const auto handler = [](const Message&) {};
    const auto pull = [](js::ConsumerConfig consumer, js::Retry retry = {}) {
        return js::Pull{
            .stream = orders, .durable = "worker", .consumer = std::move(consumer), .retry = std::move(retry)};
    };
    broker.subscriber<"orders.a">(pull({.max_deliver = 2}, quick(4))).handle(handler);
    broker.subscriber<"orders.b">(pull({.headers_only = true})).handle([](const Order&) {});
    broker.subscriber<"orders.c">(pull({.acks = js::Acks::all})).handle(handler);
    broker.subscriber<"orders.d">(pull({.acks = js::Acks::none}, quick(0, "dead.orders"))).handle(handler);
    broker.subscriber<"orders.e">(js::Ordered{.stream = orders, .headers_only = true}).handle([](const Order&) {});
    std::string why;
    try {
        start();
    } catch (const Error& error) { why = error.what(); }
    for (const auto* words :
         {"subscriber \"orders.a\": its max_deliver is 2", "subscriber \"orders.b\": its headers_only",
          "subscriber \"orders.c\": its ack_policy is all", "subscriber \"orders.d\": its ack_policy is none",
          "subscriber \"orders.e\": its headers_only"}) {
        CHECK_THAT(why, ContainsSubstring(words));
    }
}

TEST_CASE("a dead letter that is too large is kept without its payload, or with less of it") {
    const bool by_stream = GENERATE(false, true);
    CAPTURE(by_stream);
    NatsServer server{{.config = by_stream ? "" : "max_payload: 4096\n", .jetstream = true}};
    freshet::testing::LogLines log;
    Broker broker{{.servers = {server.url()}, .logger = log.logger()}};
    Broker other{{.servers = {server.url()}}};
    other.start();
    other.jetstream().declare(orders);
    other.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}, .max_msg_size = by_stream ? 2'000 : -1});
    const std::string body(by_stream ? 3'000 : 4'090, 'x');
    std::atomic<int> handled = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .retry = quick(1, "dead.orders")})
        .handle([&](const Message&) {
            ++handled;
            throw std::runtime_error{"no"};
        });
    other.jetstream().publish("orders.eu", body);
    broker.start();
    const auto consumer = other.jetstream().consumer("ORDERS", "worker");
    CHECK(eventually([&] { return consumer.info().ack_floor_stream_sequence == 1; }));
    CHECK(handled == 1);
    const auto letter = other.jetstream().stream("DEAD").last_message("dead.orders");
    CHECK(letter.header("Dead-Letter-Reason") == "no");
    CHECK(letter.header("Dead-Letter-Payload-Size") == std::to_string(body.size()));
    CHECK(letter.payload().size() < body.size());
    CHECK_THAT(log.wait_for("payload"), ContainsSubstring("left out"));
}
