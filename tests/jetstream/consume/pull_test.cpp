// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
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

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::deliveries;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

namespace {

js::Retry quick(std::uint64_t attempts = 0, std::string dead_letter = {}) {
    return {.max_attempts = attempts, .backoff = {10ms}, .dead_letter = std::move(dead_letter)};
}

}  // namespace

TEST_CASE_METHOD(PullFixture, "a pull subscriber gets what was stored before and what comes later") {
    Seen seen;
    broker.subscriber<"orders.{region}.created">(js::Pull{.stream = orders, .durable = "worker"})
        .handle([&](std::string_view body, Path<"region"> region) {
            seen.add(std::string{*region} + std::string{body});
        });
    publish("1", "orders.eu.created");
    publish("2", "orders.us.created");
    publish("not for it", "orders.us.deleted");
    broker.start();
    REQUIRE(seen.wait_for(2));
    publish("3", "orders.eu.created");
    REQUIRE(seen.wait_for(3));
    CHECK(seen.all() == std::vector<std::string>{"eu1", "us2", "eu3"});
    CHECK(all_settled());
}

TEST_CASE_METHOD(PullFixture, "a message tells its sequences, deliveries and time") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) {
            const auto metadata = message.metadata();
            const auto age = std::chrono::system_clock::now() - metadata->time;
            const bool recent = age > -1h && age < 1h;
            seen.add(std::string{metadata->stream} + ' ' + std::string{metadata->consumer} + ' ' +
                     std::to_string(metadata->stream_sequence) + ' ' + std::to_string(metadata->consumer_sequence) +
                     ' ' + std::to_string(metadata->deliveries) + ' ' + std::to_string(metadata->pending) +
                     (recent ? " now" : ""));
        });
    publish(2);
    broker.start();
    REQUIRE(seen.wait_for(2));
    CHECK(seen.all() == std::vector<std::string>{"ORDERS worker 1 1 1 1 now", "ORDERS worker 2 2 1 0 now"});
}

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

TEST_CASE_METHOD(PullFixture, "no more is taken from the server than asked for") {
    std::latch release{1};
    std::atomic<int> running = 0;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker", .workers = 2, .prefetch = 5})
        .handle([&](std::string_view) {
            ++running;
            release.wait();
        });
    publish(50);
    broker.start();
    CHECK(eventually([&] { return running == 2 && consumer().info().ack_pending == 5; }));
    CHECK(consumer().info().waiting == 0);
    release.count_down();
    CHECK(all_settled());
    CHECK(running == 50);
}

TEST_CASE_METHOD(PullFixture, "a stop lets running handlers finish, and gives back what waits at once") {
    std::latch release{1};
    std::atomic<int> running = 0;
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .durable = "worker", .consumer = {.ack_wait = 1h}, .prefetch = 10})
        .handle([&](std::string_view) {
            ++running;
            release.wait();
        });
    publish(10);
    broker.start();
    REQUIRE(eventually([&] { return running == 1 && consumer().info().ack_pending == 10; }));
    std::thread stopper{[&] { CHECK(broker.stop(20s)); }};
    Seen seen;  // by another member, while the handler still runs
    other.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"}).handle([&](const Message& message) {
        seen.add(text(message));
    });
    CHECK(seen.wait_for(9));
    release.count_down();
    stopper.join();
    CHECK(all_settled());
    CHECK(running == 1);
    CHECK(seen.count() == 9);
}

TEST_CASE_METHOD(PullFixture, "stopping one subscriber leaves nothing unsettled") {
    Seen seen;
    auto subscriber = broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
                          .handle([&](const Message& message) { seen.add(text(message)); });
    publish(5);
    broker.start();
    REQUIRE(seen.wait_for(5));
    subscriber.stop();
    publish("later");
    CHECK(eventually([&] { return consumer().info().waiting == 0; }));
    CHECK(consumer().info().pending == 1);
    CHECK(consumer().info().ack_pending == 0);
    CHECK(seen.count() == 5);
}

TEST_CASE_METHOD(PullFixture, "a consumer that somebody deletes is made anew, behind what was settled") {
    Seen seen;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) { seen.add(text(message)); });
    publish(1);
    broker.start();
    REQUIRE(seen.wait_for(1));
    REQUIRE(all_settled());
    consumer().remove();
    publish("later");
    CHECK(seen.wait_for(2));
    CHECK(seen.all().back() == "later");
}

TEST_CASE_METHOD(PullFixture, "an ephemeral consumer begins where it is told, and is alone") {
    Seen fresh, all;
    publish("before");
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::fresh}})
        .handle([&](const Message& message) { fresh.add(text(message)); });
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::all}})
        .handle([&](const Message& message) { all.add(text(message)); });
    broker.start();
    publish("after");
    CHECK(fresh.wait_for(1));
    CHECK(all.wait_for(2));
    CHECK(fresh.all() == std::vector<std::string>{"after"});
    CHECK(all.all() == std::vector<std::string>{"before", "after"});
    for (const auto& info : other.jetstream().consumers("ORDERS")) {
        CHECK_FALSE(info.durable);
        CHECK(info.config.inactive_threshold == 5min);
    }
}

TEST_CASE_METHOD(PullFixture, "a subscriber keeps to the order of a key with several workers") {
    Seen seen;
    broker
        .subscriber<"orders.{id}">(js::Pull{.stream = "ORDERS", .durable = "worker", .workers = 4, .ordered_by = "id"})
        .handle([&](const Message& message) { seen.add(std::string{message.subject()} + ' ' + text(message)); });
    for (int i = 10; i < 40; ++i) publish(std::to_string(i), "orders." + std::to_string(i % 3));
    broker.start();
    REQUIRE(seen.wait_for(30));
    for (const std::string subject : {"orders.0", "orders.1", "orders.2"}) {
        std::vector<std::string> of_key;
        for (const auto& line : seen.all())
            if (line.starts_with(subject)) of_key.push_back(line);
        CHECK(of_key.size() == 10);
        CHECK(std::is_sorted(of_key.begin(), of_key.end()));
    }
}

TEST_CASE_METHOD(PullFixture, "what a handler returns is published, and the message is acknowledged after it") {
    Seen seen;
    other.subscriber<"invoices.*">().handle([&](const Message& message) { seen.add(text(message)); });
    broker.subscriber<"orders.{region}">(js::Pull{.stream = "ORDERS", .durable = "worker"})
        .publish_to<"invoices.{region}">()
        .handle([&](const Message& message) { return "invoice of " + text(message); });
    publish(1);
    broker.start();
    CHECK(seen.wait_for(1));
    CHECK(seen.all() == std::vector<std::string>{"invoice of 1"});
    CHECK(all_settled());
}

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

TEST_CASE_METHOD(PullFixture, "a subscriber holds no more bytes than it is allowed") {
    std::latch release{1};
    std::atomic<int> handled = 0;
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .durable = "worker", .prefetch = 100, .prefetch_bytes = 50'000})
        .handle([&](std::string_view) {
            release.wait();
            ++handled;
        });
    for (int i = 0; i < 30; ++i) publish(std::string(10'000, 'x'));
    broker.start();
    CHECK(eventually([&] { return consumer().info().ack_pending >= 4; }));
    std::this_thread::sleep_for(50ms);  // more would come now
    CHECK(consumer().info().ack_pending <= 5);
    release.count_down();
    CHECK(all_settled());
    CHECK(handled == 30);
}

TEST_CASE_METHOD(PullFixture, "programs that are not services fetch, ask for one, and iterate") {
    consumer().declare({.ack_wait = 30s});
    CHECK(consumer().fetch({.messages = 3, .within = 0ms}).empty());
    CHECK_FALSE(consumer().next(100ms));
    publish(4);
    auto one = consumer().next();
    REQUIRE(one);
    CHECK(one->message().text() == "1");
    one->ack_sync();
    CHECK(consumer().info().ack_floor_stream_sequence == 1);

    const auto three = consumer().fetch({.messages = 3});
    REQUIRE(three.size() == 3);
    three[1].term();
    three[2].in_progress();
    three[2].ack_sync();
    three[0].nack();
    const auto again = consumer().next();
    REQUIRE(again);
    CHECK(again->message().text() == "2");
    CHECK(again->message().metadata()->deliveries == 2);
    again->ack();
    for (const auto* body : {"5", "6", "7", "8", "9"}) publish(body);

    std::string rest;
    auto messages = consumer().messages({.prefetch = 2});
    for (auto& delivery : messages) {
        rest += delivery->text();
        delivery.ack();
        if (delivery->text() == "8") break;
    }
    CHECK(rest == "5678");
    messages.stop();
    CHECK_FALSE(messages.next(1s));
    const auto last = consumer().next(5s);  // was taken ahead, and given back
    REQUIRE(last);
    CHECK(last->message().text() == "9");
}

TEST_CASE_METHOD(PullFixture,
                 "a fetch or an iteration from no consumer fails at once, and a fetch of too many bytes says so") {
    const auto missing = consumer("nobody").try_fetch({.messages = 1, .within = 10s});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code() == Errc::consumer_not_found);
    CHECK_THAT(missing.error().what(), ContainsSubstring("consumer \"nobody\" of stream \"ORDERS\""));
    CHECK(consumer("nobody").try_messages().error().code() == Errc::consumer_not_found);
    CHECK(consumer("no name").try_messages().error().code() == consumer("no name").try_fetch({}).error().code());
    consumer().declare({});
    CHECK_FALSE(consumer().try_messages()->next(0ms));
    publish(std::string(1'000, 'x'));
    const auto large = consumer().try_fetch({.messages = 10, .bytes = 100});
    REQUIRE_FALSE(large);
    CHECK_THAT(large.error().what(), ContainsSubstring("Message Size Exceeds MaxBytes"));
}
