// SPDX-License-Identifier: Apache-2.0
// What the settings of a consumer do, and which keep a broker from starting.
#include <chrono>
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

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

TEST_CASE_METHOD(PullFixture, "every mistake in the settings is reported by start") {
    const auto handler = [](std::string_view) {};
    broker.subscriber<"a">(js::Pull{.stream = "ORDERS"}).handle(handler);
    broker.subscriber<"b">(js::Pull{.stream = "ORDERS", .durable = "x", .ephemeral = true}).handle(handler);
    broker.subscriber<"c">(js::Pull{.stream = "ORDERS", .ephemeral = true}).handle(handler);
    broker.subscriber<"d">(js::Pull{.stream = "bad name", .durable = "bad.name"}).handle(handler);
    broker
        .subscriber<"e">(js::Pull{.stream = "ORDERS",
                                  .durable = "x",
                                  .consumer = {.deliver = js::Deliver::from_sequence, .filter_subjects = {"a..b"}},
                                  .retry = {.backoff = {1s, 1h * 24 * 400, -1s}, .dead_letter = "dead.*"},
                                  .expires = 10ms})
        .handle(handler);
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Condition::bad_setup);
        for (const auto* words :
             {"subscriber \"a\": js::Pull needs either `durable`", "subscriber \"b\": js::Pull needs either",
              "subscriber \"c\": js::Pull with `ephemeral` needs `consumer.deliver`", "stream \"bad name\"",
              "consumer \"bad.name\"", "Deliver::from_sequence and start_sequence", "filter subject \"a..b\"",
              "retry.dead_letter \"dead.*\"", "retry.backoff has a delay of 34560000000 ms; the longest is a year",
              "retry.backoff has a negative delay", "js::Pull::expires is less than a second"}) {
            CHECK_THAT(error.what(), ContainsSubstring(words));
        }
    }
}

TEST_CASE_METHOD(PullFixture, "a stream that is not there, and a push consumer, keep the broker from starting") {
    SECTION("no stream") {
        broker.subscriber<"x">(js::Pull{.stream = "NOWHERE", .durable = "worker"}).handle([](std::string_view) {});
        try {
            broker.start();
            FAIL("it started");
        } catch (const Error& error) {
            CHECK(error.code() == Errc::stream_not_found);
            CHECK_THAT(error.what(), ContainsSubstring("consumer \"worker\" of stream \"NOWHERE\""));
        }
    }
    SECTION("a consumer that must exist and does not") {
        broker.subscriber<"x">(js::Pull{.stream = "ORDERS", .durable = "worker", .declare = js::Declare::never})
            .handle([](std::string_view) {});
        CHECK_THROWS_AS(broker.start(), Error);
        CHECK(other.jetstream().consumers("ORDERS").empty());
    }
}

TEST_CASE_METHOD(PullFixture,
                 "a consumer that delivers what the handler is not made for keeps the broker from starting") {
    const auto refused = [&](std::string_view why) {
        try {
            broker.start();
            FAIL("it started");
        } catch (const Error& error) { CHECK_THAT(error.what(), ContainsSubstring(std::string{why})); }
    };
    SECTION("the subject of another subscriber") {
        broker.subscriber<"orders.eu">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([](std::string_view) {
        });
        broker.subscriber<"orders.us">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([](std::string_view) {
        });
        refused(R"(consumer "worker" of stream "ORDERS" delivers "orders.)");
    }
    SECTION("everything, where the handler has a path") {
        consumer().declare({});
        broker.subscriber<"orders.{region}">(js::Pull{.stream = "ORDERS", .durable = "worker"})
            .handle([](std::string_view) {});
        refused(
            R"(delivers "orders.>", which the subscriber's subject "orders.{region}" does not match; use another durable)");
    }
    SECTION("a filter beside the subject") {
        broker
            .subscriber<"orders.eu">(js::Pull{
                .stream = "ORDERS", .durable = "worker", .consumer = {.filter_subjects = {"orders.*"}}})
            .handle([](std::string_view) {});
        refused(R"(filter subject "orders.*" has messages that the subscriber's subject does not match)");
    }
    SECTION("nothing") {
        broker.subscriber<"bills.*">(js::Pull{.stream = orders, .durable = "worker"}).handle([](std::string_view) {});
        refused(R"(would never deliver anything: the stream stores orders.>, and no "bills.*")");
    }
    SECTION("its own dead letters") {
        const js::Retry retry{.max_attempts = 1, .dead_letter = "orders.dead"};
        const bool named = GENERATE(false, true);
        broker
            .subscriber<"orders.*">(js::Pull{
                .stream = named ? js::StreamRef{"ORDERS"} : js::StreamRef{orders}, .durable = "worker", .retry = retry})
            .handle([](std::string_view) {});
        refused(R"(retry.dead_letter "orders.dead" is a subject that it delivers itself)");
    }
}

TEST_CASE_METHOD(PullFixture, "settings of a consumer are created, verified and reconciled, never rewritten unasked") {
    const js::ConsumerConfig wanted{.filter_subjects = {"orders.eu"}, .ack_wait = 7s, .max_ack_pending = 50};
    consumer().declare({.filter_subjects = {"orders.us"}, .ack_wait = 9s});
    CHECK(consumer().declare(wanted).config.ack_wait == 9s);
    const auto verified = consumer().try_declare(wanted, js::Declare::verify);
    REQUIRE_FALSE(verified);
    CHECK(verified.error().code() == Errc::settings_differ);
    CHECK_THAT(verified.error().what(), ContainsSubstring("ack_wait is 9s, wanted 7s"));
    CHECK_THAT(verified.error().what(), ContainsSubstring("max_ack_pending is 1000, wanted 50"));
    CHECK_THAT(verified.error().what(),
               ContainsSubstring("filter_subjects is [\"orders.us\"], wanted [\"orders.eu\"]"));
    const auto changed = consumer().declare(wanted, js::Declare::reconcile).config;
    CHECK(changed.ack_wait == 7s);
    CHECK(changed.max_ack_pending == 50);
    CHECK(changed.filter_subjects == std::vector<std::string>{"orders.eu"});
    CHECK(consumer().try_declare(wanted, js::Declare::verify));
}

TEST_CASE_METHOD(PullFixture, "every setting of a consumer reaches the server and comes back") {
    const auto until = std::chrono::system_clock::now() + 1h;
    const js::ConsumerConfig config{.deliver = js::Deliver::from_sequence,
                                    .start_sequence = 7,
                                    .filter_subjects = {"orders.eu", "orders.us"},
                                    .acks = js::Acks::explicit_,
                                    .replay = js::Replay::original,
                                    .headers_only = true,
                                    .ack_wait = 11s,
                                    .max_ack_pending = 12,
                                    .max_deliver = 5,
                                    .backoff = {11s, 12s},
                                    .inactive_threshold = 13s,
                                    .max_waiting = 14,
                                    .max_request_batch = 15,
                                    .max_request_bytes = 16,
                                    .max_request_expires = 17s,
                                    .sample_frequency = "18",
                                    .replicas = 1,
                                    .memory_storage = true,
                                    .priority_policy = js::PriorityPolicy::pinned_client,
                                    .priority_groups = {"jobs"},
                                    .priority_timeout = 19s,
                                    .pause_until = until,
                                    .description = "all of them",
                                    .metadata = {{"team", "billing"}}};
    auto back = consumer().declare(config).config;
    CHECK(back.metadata["team"] == "billing");  // the server adds some of its own
    back.metadata = config.metadata;
    CHECK(back == config);
    CHECK(consumer().info().paused);
}

TEST_CASE_METHOD(PullFixture, "delivery begins where the policy says") {
    publish("1", "orders.eu");
    publish("2", "orders.us");
    publish("3", "orders.eu");
    std::this_thread::sleep_for(5ms);
    const auto time = std::chrono::system_clock::now();
    publish("4", "orders.us");
    const auto first = [&](const js::ConsumerConfig& config) {
        consumer("probe").declare(config);
        std::string bodies;
        for (const auto& delivery : consumer("probe").fetch({.messages = 10, .within = 0ms}))
            bodies += delivery->text();
        consumer("probe").remove();
        return bodies;
    };
    CHECK(first({}) == "1234");
    CHECK(first({.deliver = js::Deliver::all}) == "1234");
    CHECK(first({.deliver = js::Deliver::last}) == "4");
    CHECK(first({.deliver = js::Deliver::last_per_subject, .filter_subjects = {"orders.*"}}) == "34");
    CHECK(first({.deliver = js::Deliver::fresh}).empty());
    CHECK(first({.deliver = js::Deliver::from_sequence, .start_sequence = 3}) == "34");
    CHECK(first({.deliver = js::Deliver::from_time, .start_time = time}) == "4");
    CHECK(first({.filter_subjects = {"orders.us"}}) == "24");
    CHECK(first({.headers_only = true}).empty());
}

TEST_CASE_METHOD(PullFixture, "a paused consumer delivers nothing until it is resumed") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) { seen.add(text(message)); });
    consumer().declare({.filter_subjects = {"orders.*"}});
    consumer().pause(std::chrono::system_clock::now() + 1h);
    CHECK(consumer().info().paused);
    publish(1);
    broker.start();
    CHECK(eventually([&] { return consumer().info().waiting == 1; }));
    CHECK(seen.count() == 0);
    consumer().resume();
    CHECK(seen.wait_for(1));
}

TEST_CASE_METHOD(PullFixture, "a subscriber verifies its consumer, or changes it, if told to") {
    consumer().declare({.filter_subjects = {"orders.*"}, .ack_wait = 9s});
    js::Pull pull{
        .stream = "ORDERS", .durable = "worker", .declare = js::Declare::verify, .consumer = {.ack_wait = 7s}};
    broker.subscriber<"orders.*">(pull).handle([](std::string_view) {});
    CHECK_THROWS_WITH(broker.start(), ContainsSubstring("ack_wait is 9s, wanted 7s"));
    CHECK(consumer().info().config.ack_wait == 9s);

    Seen seen;
    Broker changing{{.servers = {server.url()}}};
    pull.declare = js::Declare::reconcile;
    changing.subscriber<"orders.*">(pull).handle([&](const Message& message) { seen.add(text(message)); });
    changing.start();
    CHECK(consumer().info().config.ack_wait == 7s);
    publish("1");
    CHECK(seen.wait_for(1));
}
