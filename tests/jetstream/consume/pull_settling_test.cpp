// SPDX-License-Identifier: Apache-2.0
// How messages of pull subscribers are settled: retries, dead letters, policies, acknowledgements.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::deliveries;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

js::Retry quick(std::uint64_t attempts = 0, std::string dead_letter = {}) {
    return {.max_attempts = attempts, .backoff = {10ms}, .dead_letter = std::move(dead_letter)};
}

}  // namespace

TEST_CASE_METHOD(PullFixture, "a handler that fails gets the message again, later, until it succeeds") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .retry = quick()})
        .handle([&](const Message& message) {
            seen.add(deliveries(message));
            if (message.metadata()->deliveries < 4) throw std::runtime_error{"not yet"};
        });
    publish(1);
    broker.start();
    REQUIRE(seen.wait_for(4));
    CHECK(seen.all() == std::vector<std::string>{"1", "2", "3", "4"});
    CHECK(all_settled());
}

TEST_CASE_METHOD(PullFixture, "each policy settles a failed message in its way") {
    const auto subscribe = [&](AckPolicy policy, Seen& seen) {
        broker
            .subscriber<"orders.*">(js::Pull{.stream = "ORDERS",
                                             .durable = to_string(policy),
                                             .consumer = {.ack_wait = 1s},
                                             .ack_policy = policy,
                                             .retry = quick()})
            .handle([&seen](const Message& message) {
                seen.add(deliveries(message));
                throw std::runtime_error{"no"};
            });
    };
    Seen first, always, reject, nack, manual;
    subscribe(AckPolicy::ack_first, first);
    subscribe(AckPolicy::ack, always);
    subscribe(AckPolicy::reject_on_error, reject);
    subscribe(AckPolicy::nack_on_error, nack);
    subscribe(AckPolicy::manual, manual);
    publish(1);
    broker.start();
    CHECK(nack.wait_for(3));
    CHECK(manual.wait_for(2));  // by the server, after ack_wait
    CHECK(all_settled("ack_first"));
    CHECK(all_settled("ack"));
    CHECK(all_settled("reject_on_error"));
    CHECK(first.count() == 1);
    CHECK(always.count() == 1);
    CHECK(reject.count() == 1);
    CHECK_THAT(log.wait_for("is given up"), ContainsSubstring("there is no dead letter: no"));
    broker.stop();  // nack_on_error goes on for ever
}

TEST_CASE_METHOD(PullFixture, "handlers settle by what they return, call and throw") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .ack_policy = AckPolicy::manual})
        .handle([&](const Message& message, Context& context) -> Outcome {
            seen.add(text(message) + deliveries(message));
            const bool again = message.metadata()->deliveries == 1;
            if (text(message) == "return nack" && again) return Outcome::nack();
            if (text(message) == "call nack" && again) context.nack(10ms);
            if (text(message) == "throw nack" && again) throw Nack{10ms};
            if (text(message) == "throw reject") throw Reject{"bad order"};
            if (text(message) == "throw skip") throw Skip{};
            if (text(message) == "throw ack") throw Ack{};
            if (text(message) == "call term") context.term("never");
            return Outcome::ack;
        });
    for (const auto* body : {"return nack", "call nack", "throw nack", "throw reject", "throw skip", "throw ack",
                             "call term", "return ack"}) {
        publish(body);
    }
    broker.start();
    REQUIRE(seen.wait_for(11));
    CHECK(all_settled());
    CHECK(seen.count() == 11);
    CHECK(!log.find("bad order").empty());
}

TEST_CASE_METHOD(PullFixture, "after the last attempt a message becomes a dead letter, and is terminated") {
    other.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .retry = quick(3, "dead.orders")})
        .handle([&](const Message& message) {
            seen.add(text(message));
            throw std::runtime_error{"out of stock"};
        });
    other.jetstream().publish("orders.eu", std::string{"1"}, {.headers = {{"trace", "t1"}}, .id = "order-1"});
    broker.start();
    REQUIRE(all_settled());
    CHECK(seen.count() == 3);
    REQUIRE(eventually([&] { return other.jetstream().stream("DEAD").info().state.messages == 1; }));
    other.jetstream().consumer("DEAD", "reader").declare({});
    const auto letter = other.jetstream().consumer("DEAD", "reader").next();
    REQUIRE(letter);
    const auto& message = letter->message();
    CHECK(message.subject() == "dead.orders");
    CHECK(message.text() == "1");
    CHECK(message.header("trace") == "t1");
    CHECK(message.header("Dead-Letter-Nats-Msg-Id") == "order-1");
    CHECK(message.header("Dead-Letter-Reason") == "out of stock");
    CHECK(message.header("Dead-Letter-Subject") == "orders.eu");
    CHECK(message.header("Dead-Letter-Stream") == "ORDERS");
    CHECK(message.header("Dead-Letter-Consumer") == "worker");
    CHECK(message.header("Dead-Letter-Sequence") == "1");
    CHECK(message.header("Dead-Letter-Deliveries") == "3");
    CHECK(message.header("Dead-Letter-Time"));
}

TEST_CASE_METHOD(PullFixture, "a dead letter that nobody confirms leaves the message where it is") {
    std::atomic<int> handled = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .retry = quick(1, "dead.orders")})
        .handle([&](std::string_view) {
            ++handled;
            throw std::runtime_error{"no"};
        });
    publish(1);
    broker.start();
    CHECK_THAT(log.wait_for("was not kept"), ContainsSubstring("no stream stores the dead letters on \"dead.orders\""));
    CHECK(consumer().info().ack_pending == 1);
    // Somebody who answers confirms it, too.
    Seen letters;
    other.subscriber<"dead.*">().handle([&](const Message& message) -> Response<> {
        letters.add(text(message) + ": " + std::string{*message.header("Dead-Letter-Reason")});
        return {};
    });
    CHECK(letters.wait_for(1));
    CHECK(letters.all().at(0) == "1: no");
    CHECK(all_settled());
    CHECK(handled == 1);  // what was delivered too often is given up before the handler
}

TEST_CASE_METHOD(PullFixture, "poison goes to the dead letters at once, whatever the policy") {
    Seen letters;
    other.subscriber<"dead.*">().handle([&](const Message& message) -> Response<> {
        letters.add(text(message) + ": " + std::string{*message.header("Dead-Letter-Reason")});
        return {};
    });
    broker
        .subscriber<"orders.{id}">(js::Pull{.stream = "ORDERS",
                                            .durable = "worker",
                                            .ack_policy = AckPolicy::manual,
                                            .retry = {.dead_letter = "dead.poison"}})
        .handle([&](std::string_view, Path<"id", int>) -> Outcome { return Outcome::ack; });
    publish("bad", "orders.eu");
    publish("good", "orders.7");
    broker.start();
    REQUIRE(letters.wait_for(1));
    CHECK_THAT(letters.all()[0], ContainsSubstring("bad: the token \"eu\" for {id}"));
    CHECK(all_settled());
    CHECK(letters.count() == 1);
}

TEST_CASE_METHOD(PullFixture, "what no filter matches is poison, too") {
    Seen seen, letters;
    other.subscriber<"dead.*">().handle([&](const Message& message) -> Response<> {
        letters.add(text(message) + ": " + std::string{*message.header("Dead-Letter-Reason")});
        return {};
    });
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .durable = "worker", .retry = {.dead_letter = "dead.unmatched"}})
        .when([](const Message& message) { return message.text().starts_with("order"); },
              [&](const Message& message) { seen.add(text(message)); })
        .handle();
    publish("order 1");
    publish("something else");
    broker.start();
    REQUIRE(letters.wait_for(1));
    CHECK_THAT(letters.all()[0], ContainsSubstring("something else: no handler takes this message on"));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"order 1"});
}

TEST_CASE_METHOD(PullFixture, "a message that is handled for longer than ack_wait is not delivered again") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .consumer = {.ack_wait = 1s}})
        .handle([&](const Message& message) {
            std::this_thread::sleep_for(2'500ms);
            seen.add(text(message) + ' ' + deliveries(message));
        });
    publish(2);
    broker.start();
    REQUIRE(seen.wait_for(2));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"1 1", "2 1"});
    CHECK(consumer().info().delivered_consumer_sequence == 2);
}

TEST_CASE_METHOD(PullFixture, "ack_sync returns when the server knows, and in_progress may be called") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([&](Context& context) {
        context.in_progress();
        context.ack_sync();
        seen.add(std::to_string(consumer().info().ack_floor_stream_sequence));
        throw std::runtime_error{"too late to matter"};
    });
    publish(1);
    broker.start();
    REQUIRE(seen.wait_for(1));
    CHECK(seen.all() == std::vector<std::string>{"1"});
    CHECK(all_settled());
    CHECK(consumer().info().redelivered == 0);
}
