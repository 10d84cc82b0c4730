// SPDX-License-Identifier: Apache-2.0
// JetStream of the memory server under freshet::jetstream, and the same tests over nats-server where time need not
// pass.
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../../support/log_lines.hpp"
#include "../../../support/seen.hpp"
#include "../../../support/types.hpp"
#include "memory_support.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::comes;
using freshet::testing::Seen;
using freshet::testing::test_of;
using freshet::testing::TestBroker;
using Texts = std::vector<std::string>;

namespace {

js::Stream orders(js::Stream more = {}) {
    more.name = "ORDERS";
    more.subjects = {"orders.>"};
    return more;
}

}  // namespace

TEST_CASE("publishing into a stream: acknowledged, deduplicated, with expectations") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare(orders({.max_msgs_per_subject = 2, .allow_direct = true}));
    const auto stream = jetstream.stream("ORDERS");
    CHECK(jetstream.publish("orders.eu", "one", {.id = "a"}).sequence == 1);
    const auto again = jetstream.publish("orders.eu", "one", {.id = "a"});
    CHECK(again.duplicate);
    CHECK(again.sequence == 1);
    CHECK(jetstream.try_publish("orders.eu", "x", {.expect_last_sequence = 7}).error().code() ==
          Errc::wrong_last_sequence);
    CHECK(jetstream.try_publish("orders.eu", "x", {.expect_stream = "OTHER"}).error().code() == Errc::wrong_stream);
    CHECK(jetstream.publish("orders.eu", "two", {.expect_last_sequence = 1}).sequence == 2);
    jetstream.publish("orders.eu", "three");
    jetstream.publish("orders.us", "four");
    CHECK(jetstream.try_publish("elsewhere", "x").error().code() == Errc::no_stream);

    const auto info = stream.info();
    CHECK(info.state.messages == 3);
    CHECK(info.state.first_sequence == 2);
    CHECK(info.state.last_sequence == 4);
    CHECK(info.state.num_subjects == 2);
    CHECK(stream.message(2).message().text() == "two");
    CHECK(stream.last_message("orders.eu").message().text() == "three");
    CHECK(stream.last_message("orders.eu", js::Read::direct).message().text() == "three");
    CHECK(stream.try_message(1).error().code() == Errc::message_not_found);
    CHECK(stream.messages().size() == 3);
    CHECK(stream.purge({.subject = "orders.us"}) == 1);
    stream.remove();
    CHECK(stream.try_info().error().code() == Errc::stream_not_found);
}

TEST_CASE("a pull subscriber handles what is stored, and what comes") {
    const bool real = GENERATE(false, true);
    Broker broker;
    broker.subscriber<"orders.{region}.created">(js::Pull{.stream = orders(), .durable = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order) -> Invoice { return {.order_id = order.id, .total = order.amount * 1.2}; });
    const auto test = test_of(broker, real);
    CHECK(test->publish("orders.eu.created", Order{"a1", 10}) == Outcome::ack);
    CHECK(test->published<Invoice>("invoices.eu").at(0).total == 12);
    const auto info = broker.jetstream().consumer("ORDERS", "billing").info();
    CHECK(info.delivered_stream_sequence == 1);
    CHECK(info.pending == 0);
}

TEST_CASE("a message that failed comes again after its delay, at last as a dead letter") {
    testing::LogLines log;
    Broker broker{{.logger = log.logger()}};
    std::vector<std::chrono::nanoseconds> times;
    const TestBroker* running = nullptr;
    broker
        .subscriber<"orders.{region}">(js::Pull{
            .stream = orders(),
            .durable = "billing",
            .retry = {.max_attempts = 3, .backoff = {1s, 5s}, .dead_letter = "dead.orders"}})
        .handle([&](std::string_view) {
            times.push_back(running == nullptr ? 0s : running->now().time_since_epoch());
            throw std::runtime_error{"the disk is full"};
        });
    TestBroker test{broker};
    running = &test;
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "DEAD", .subjects = {"dead.>"}});
    CHECK(test.publish("orders.eu", "x") == Outcome::nack());
    CHECK(times.size() == 1);
    test.advance(10s);
    CHECK(times.size() == 3);
    const std::string failed = "handler failed: std::runtime_error: the disk is full; attempt ";
    CHECK(log.find(failed + "1 of 3, again in 1 s ") != "");
    CHECK(log.find(failed + "2 of 3, again in 5 s ") != "");
    CHECK(log.find(failed + "3 of 3, given up ") != "");
    for (const auto* const delivery : {"1", "2", "3"})
        CHECK(log.find(std::string{" stream=ORDERS consumer=billing sequence=1 delivery="} + delivery) != "");
    CHECK(times[1] - times[0] >= 800ms);  // delays are jittered
    CHECK(times[2] - times[1] >= 4s);
    CHECK(test.published<std::string>("dead.orders").at(0) == "x");
    test.advance(1min);
    CHECK(times.size() == 3);
    CHECK(jetstream.consumer("ORDERS", "billing").info().ack_pending == 0);
}

TEST_CASE("a lost acknowledgement leads to a redelivery when ack_wait has passed") {
    Broker broker;
    Texts heard;
    broker.subscriber<"orders.>">(js::Pull{.stream = orders(), .durable = "billing"})
        .handle([&](std::string_view body) { heard.emplace_back(body); });
    TestBroker test{broker};
    test.lose_next("$JS.ACK.>");
    CHECK(test.publish("orders.eu", "x") == Outcome::ack);
    test.advance(29s);
    CHECK(heard == Texts{"x"});
    test.advance(2s);
    CHECK(heard == Texts{"x", "x"});
    test.advance(1min);
    CHECK(heard.size() == 2);
}

TEST_CASE("messages expire, work queues empty themselves") {
    Broker broker;
    TestBroker test{broker};
    auto jetstream = broker.jetstream();
    jetstream.declare(orders({.max_age = 1h, .allow_msg_ttl = true}));
    const auto stream = jetstream.stream("ORDERS");
    jetstream.publish("orders.eu", "long");
    jetstream.publish("orders.eu", "short", {.ttl = 5s});
    test.advance(6s);
    CHECK(stream.info().state.messages == 1);
    test.advance(1h);
    CHECK(stream.info().state.messages == 0);

    Broker worker;
    worker
        .subscriber<"jobs.>">(js::Pull{
            .stream = js::Stream{.name = "JOBS", .subjects = {"jobs.>"}, .retention = js::Retention::workqueue},
            .durable = "worker"})
        .handle([](std::string_view) {});
    TestBroker jobs{worker};
    CHECK(jobs.publish("jobs.1", "x") == Outcome::ack);
    CHECK(worker.jetstream().stream("JOBS").info().state.messages == 0);
}

TEST_CASE("what is not simulated is refused by its name") {
    Broker broker;
    TestBroker test{broker};
    auto jetstream = broker.jetstream();
    const auto refusal_of = [&](js::Stream stream) {
        stream.name = "S";
        const auto declared = jetstream.try_declare(stream);
        return declared ? std::string{} : std::string{declared.error().message()};
    };
    CHECK_THAT(refusal_of({.subjects = {"s"}, .allow_batched = true}),
               ContainsSubstring("does not know allow_batched"));
    CHECK_THAT(refusal_of({.mirror = js::StreamSource{.name = "X", .domain = "hub"}}),
               ContainsSubstring("does not know external of a source"));
    CHECK_THAT(refusal_of({.subjects = {"s.*"},
                           .transform = js::SubjectTransform{.source = "s.*", .destination = "t.{{partition(3,1)}}"}}),
               ContainsSubstring("does not know {{partition(3,1)}}"));

    jetstream.declare(orders({.allow_msg_schedules = true}));
    const auto refusal = [&](const js::ConsumerConfig& config) {
        const auto declared = jetstream.consumer("ORDERS", "c").try_declare(config, js::Declare::create_if_missing);
        return declared ? std::string{} : std::string{declared.error().message()};
    };
    CHECK_THAT(refusal({.replay = js::Replay::original}), ContainsSubstring("does not know replay_policy original"));
    CHECK_THAT(refusal({.rate_limit = 1'000}), ContainsSubstring("does not know rate_limit_bps"));
    CHECK_THAT(refusal({.sample_frequency = "100%"}), ContainsSubstring("does not know sample_freq"));
    const auto cron =
        jetstream.try_publish("orders.plan", "x", {.schedule = js::Schedule{.cron = "@daily", .target = "orders.due"}});
    REQUIRE_FALSE(cron);
    CHECK_THAT(std::string{cron.error().message()}, ContainsSubstring("no cron schedules"));
    const auto stepdown = test.request<std::string>("$JS.API.STREAM.LEADER.STEPDOWN.ORDERS", "");
    CHECK_THAT(stepdown, ContainsSubstring("does not know $JS.API.STREAM.LEADER.STEPDOWN.ORDERS"));
}

TEST_CASE("a push subscriber is sent more than its flow control lets be under way") {
    const bool real = GENERATE(false, true);
    Broker broker;
    std::size_t count = 0;
    broker.subscriber<"orders.>">(js::Push{.stream = orders(), .durable = "pushed", .heartbeat = 500ms})
        .handle([&](std::string_view) { ++count; });
    const auto test = test_of(broker, real);
    auto publisher = broker.jetstream().async_publisher();
    const std::string body(10'000, 'x');
    for (int i = 0; i < 1'000; ++i) publisher.publish("orders.eu", body);
    publisher.flush(20s);
    CHECK(comes(*test, [&] { return count == 1'000; }));
    const auto consumer = broker.jetstream().consumer("ORDERS", "pushed");
    CHECK(comes(*test, [&] { return consumer.info().ack_pending == 0; }));
    CHECK(consumer.info().push);
    test->advance(2s);  // heartbeats are heard: nothing is made anew
    CHECK(consumer.info().delivered_consumer_sequence == 1'000);
}

TEST_CASE("members of a queue share a push consumer, one without a queue takes one subscriber") {
    testing::MemoryServer server;
    int counts[2] = {};
    const js::Push push{.stream = orders(), .durable = "shared", .queue = "workers"};
    Broker one;
    Broker two;
    one.subscriber<"orders.>">(push).handle([&](std::string_view) { ++counts[0]; });
    two.subscriber<"orders.>">(push).handle([&](std::string_view) { ++counts[1]; });
    TestBroker test{one, server};
    TestBroker other{two, server};
    for (int i = 0; i < 10; ++i) test.publish("orders.eu", "x");
    CHECK(counts[0] == 5);
    CHECK(counts[1] == 5);

    Broker lone;
    Broker late;
    for (auto* broker : {&lone, &late})
        broker->subscriber<"orders.>">(js::Push{.stream = "ORDERS", .durable = "lone"}).handle([](std::string_view) {});
    TestBroker first{lone, server};
    CHECK_THROWS_AS((TestBroker{late, server}), Error);
}

TEST_CASE("an ordered subscriber goes on where it was when its consumer is lost") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen heard;
    broker.subscriber<"orders.>">(js::Ordered{.stream = orders(), .heartbeat = 500ms})
        .handle([&](std::string_view body) { heard.add(std::string{body}); });
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.publish("orders.eu", "1");
    jetstream.publish("orders.eu", "2");
    CHECK(comes(*test, [&] { return heard.all() == Texts{"1", "2"}; }));
    const auto consumers = jetstream.consumers("ORDERS");
    REQUIRE(consumers.size() == 1);
    jetstream.consumer("ORDERS", consumers.front().name).remove();
    jetstream.publish("orders.eu", "3");
    CHECK(comes(*test, [&] { return heard.all() == Texts{"1", "2", "3"}; }));
}

TEST_CASE("batches come by size or by time") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen sizes;
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = orders(), .durable = "report", .batch = {.size = 3, .within = 200ms}})
        .handle([&](std::span<const Order> batch) { sizes.add(std::to_string(batch.size())); });
    const auto test = test_of(broker, real);
    for (int i = 0; i < 5; ++i) broker.jetstream().publish("orders.eu", Order{std::to_string(i), 1});
    CHECK(comes(*test, [&] { return sizes.all() == Texts{"3", "2"}; }));
    const auto consumer = broker.jetstream().consumer("ORDERS", "report");
    CHECK(comes(*test, [&] { return consumer.info().ack_pending == 0; }));
}

TEST_CASE("what is logged of a batch names its consumer, and of one message that one") {
    testing::LogLines log;
    Broker broker{{.logger = log.logger()}};
    broker
        .subscriber<"orders.{region}">(js::Pull{
            .stream = orders(), .durable = "report", .batch = {.size = 2, .within = 200ms}})
        .handle([](std::span<const Order>, Logger& own) {
            own.info("here");
            throw std::runtime_error{"the disk is full"};
        });
    TestBroker test{broker};
    broker.jetstream().publish("orders.eu", Order{"a1", 1});
    broker.jetstream().publish("orders.us", "no order");
    test.run();
    const std::string batch = " subject=orders.{region} stream=ORDERS consumer=report";
    CHECK(log.find("here") == "info: here" + batch);
    CHECK(log.find("messages failed") ==
          "error: handler of 2 messages failed: std::runtime_error: the disk is full; attempt 1, again in 1 s" + batch);
    CHECK_THAT(log.find("message rejected"),
               ContainsSubstring("subject=orders.us stream=ORDERS consumer=report sequence=2 delivery=1"));
}

TEST_CASE("an asynchronous publisher reports each message, a lost acknowledgement too") {
    Broker broker;
    TestBroker test{broker};
    auto jetstream = broker.jetstream();
    jetstream.declare(orders());
    auto publisher = jetstream.async_publisher({.max_pending = 4});
    int stored = 0;
    for (int i = 0; i < 20; ++i)
        publisher.publish("orders.eu", "x", {.id = std::to_string(i)},
                          [&](const Expected<js::PublishAck>& ack) { stored += ack ? 1 : 0; });
    auto refused = publisher.publish_future("orders.eu", "x", {.expect_last_sequence = 1});
    publisher.flush(10s);
    CHECK(stored == 20);
    CHECK_THROWS_AS(refused.get(), Error);

    test.lose_next("_INBOX.>");  // the server's answer: with an id it is asked again
    publisher.publish("orders.eu", "x", {.id = "once"},
                      [&](const Expected<js::PublishAck>& ack) { stored += ack ? 1 : 0; });
    publisher.flush(1min);
    CHECK(stored == 21);
    CHECK(jetstream.stream("ORDERS").info().state.messages == 21);
}

TEST_CASE("a paused consumer delivers nothing until its time has come") {
    Broker broker;
    int count = 0;
    broker
        .subscriber<"orders.>">(js::Pull{.stream = orders(),
                                         .durable = "billing",
                                         .consumer = {.pause_until = std::chrono::system_clock::now() + 1h}})
        .handle([&](std::string_view) { ++count; });
    TestBroker test{broker};
    const auto consumer = broker.jetstream().consumer("ORDERS", "billing");
    test.publish("orders.eu", "x");
    test.advance(50min);
    CHECK(count == 0);
    CHECK(consumer.info().paused);
    test.advance(11min);
    CHECK(count == 1);
    CHECK_FALSE(consumer.info().paused);
    consumer.pause(std::chrono::system_clock::now() + 3h);
    test.publish("orders.eu", "x");
    CHECK(count == 1);
    consumer.resume();
    test.run();
    CHECK(count == 2);
}

TEST_CASE("priority groups: one pinned client, overflow only while many wait") {
    testing::MemoryServer server;
    int counts[2] = {};
    const js::Pull pinned{.stream = orders(),
                          .durable = "pinned",
                          .consumer = {.priority_policy = js::PriorityPolicy::pinned_client, .priority_groups = {"g"}},
                          .priority = {.group = "g"}};
    Broker one;
    Broker two;
    one.subscriber<"orders.>">(pinned).handle([&](std::string_view) { ++counts[0]; });
    two.subscriber<"orders.>">(pinned).handle([&](std::string_view) { ++counts[1]; });
    TestBroker test{one, server};
    TestBroker other{two, server};
    for (int i = 0; i < 5; ++i) test.publish("orders.eu", "x");
    CHECK(counts[0] == 5);
    CHECK(counts[1] == 0);
    const auto consumer = one.jetstream().consumer("ORDERS", "pinned");
    CHECK_FALSE(consumer.info().pinned_client.empty());
    consumer.unpin("g");
    for (int i = 0; i < 5; ++i) test.publish("orders.eu", "x");
    CHECK(counts[0] + counts[1] == 10);

    Broker spare;
    int helped = 0;
    spare
        .subscriber<"jobs.>">(js::Pull{
            .stream = js::Stream{.name = "JOBS", .subjects = {"jobs.>"}},
            .durable = "overflow",
            .consumer = {.priority_policy = js::PriorityPolicy::overflow, .priority_groups = {"g"}},
            .prefetch = 1,
            .priority = {.group = "g", .min_pending = 3}})
        .handle([&](std::string_view) { ++helped; });
    TestBroker overflow{spare, server};
    overflow.publish("jobs.1", "x");
    overflow.publish("jobs.2", "x");
    CHECK(helped == 0);
    overflow.publish("jobs.3", "x");
    CHECK(helped == 1);
}

TEST_CASE("schedules publish at their time, once or again and again") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare(
        {.name = "PLANS", .subjects = {"plans.>", "due.>"}, .allow_msg_ttl = true, .allow_msg_schedules = true});
    const auto plans = jetstream.stream("PLANS");
    jetstream.publish("plans.once", "once",
                      {.schedule = js::Schedule{.at = std::chrono::system_clock::now() + 1s, .target = "due.once"}});
    jetstream.publish("plans.often", "often", {.schedule = js::Schedule{.every = 1s, .target = "due.often"}});
    CHECK_FALSE(plans.try_last_message("due.once"));
    CHECK(comes(*test, [&] { return plans.try_last_message("due.once").has_value(); }));
    CHECK(plans.last_message("due.once").message().text() == "once");
    CHECK(plans.last_message("due.once").message().header("Nats-Scheduler") == "plans.once");
    CHECK_FALSE(plans.try_last_message("plans.once"));
    CHECK(comes(*test, [&] { return plans.info({.subjects = "due.often"}).state.subjects["due.often"] >= 2; }));
    CHECK(plans.purge({.subject = "plans.often"}) == 1);
    CHECK(jetstream.try_publish("plans.x", "x", {.schedule = js::Schedule{.every = 1s, .target = "elsewhere"}})
              .error()
              .code() == Errc::remote);
}

TEST_CASE("counters count, atomic batches are stored as a whole") {
    const bool real = GENERATE(false, true);
    Broker broker;
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "COUNT", .subjects = {"count.>"}, .allow_msg_counter = true});
    CHECK(jetstream.increment("count.hits").number() == 1);
    CHECK(jetstream.increment("count.hits", 41).number() == 42);
    CHECK(jetstream.increment("count.hits", -50).number() == -8);
    CHECK(jetstream.stream("COUNT").counter("count.hits").digits == "-8");
    jetstream.increment("count.large", std::numeric_limits<std::int64_t>::max());
    CHECK(jetstream.increment("count.large").digits == "9223372036854775808");
    CHECK(jetstream.try_publish("count.hits", "x").error().code() == Errc::bad_setup);

    jetstream.declare(orders({.allow_atomic = true}));
    const auto stream = jetstream.stream("ORDERS");
    auto batch = jetstream.atomic_batch();
    for (int i = 0; i < 10; ++i) batch.add("orders.eu", std::to_string(i));
    CHECK(stream.info().state.messages == 0);
    const auto ack = batch.commit();
    CHECK(ack.batched == 10);
    CHECK(ack.sequence == 10);
    CHECK(stream.message(3).message().text() == "2");
    auto stale = jetstream.atomic_batch();
    stale.add("orders.eu", "x", {.expect_last_sequence = 4});
    stale.add("orders.eu", "y");
    CHECK(stale.try_commit().error().code() == Errc::wrong_last_sequence);
    CHECK(stream.info().state.messages == 10);
    auto late = jetstream.atomic_batch();
    late.add("orders.eu", "x");
    late.add("orders.eu", "y");
    if (!real) test->advance(11s);
    if (!real) CHECK(late.try_commit().error().code() == Errc::batch_refused);
    CHECK(jetstream.try_increment("orders.eu").error().code() == Errc::bad_setup);
}

TEST_CASE("a stream moves subjects, publishes once more, and is gathered by others") {
    const bool real = GENERATE(false, true);
    Broker broker;
    Seen heard;
    broker.subscriber<"copy.>">().handle([&](const Message& message) {
        heard.add(std::string{message.header("Nats-Subject").value_or("")} + ' ' + std::string{message.text()});
    });
    const auto test = test_of(broker, real);
    auto jetstream = broker.jetstream();
    jetstream.declare(
        orders({.transform = js::SubjectTransform{.source = "orders.*.*", .destination = "orders.{{wildcard(2)}}.$1"},
                .republish = js::Republish{.source = "orders.>", .destination = "copy.>"}}));
    jetstream.publish("orders.eu.a1", "x");
    CHECK(jetstream.stream("ORDERS").message(1).subject() == "orders.a1.eu");
    CHECK(comes(*test, [&] { return heard.all() == Texts{"orders.a1.eu x"}; }));
    jetstream.declare({.name = "MIRROR", .mirror = js::StreamSource{.name = "ORDERS"}});
    jetstream.declare(
        {.name = "ALL",
         .sources = {{.name = "ORDERS", .transforms = {{.source = "orders.*.eu", .destination = "all.$1"}}}}});
    jetstream.publish("orders.us.b2", "y");
    jetstream.publish("orders.eu.c3", "z");
    CHECK(comes(*test, [&] { return jetstream.stream("MIRROR").info().state.messages == 3; }));
    CHECK(jetstream.stream("MIRROR").message(2).subject() == "orders.b2.us");
    CHECK(comes(*test, [&] { return jetstream.stream("ALL").info().state.messages == 2; }));
    CHECK(jetstream.stream("ALL").message(2).subject() == "all.c3");
}

TEST_CASE("with threads, batches are handled before time passes") {
    Broker broker;
    std::atomic<std::size_t> count = 0;
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = orders(), .durable = "report", .workers = 2, .batch = {.size = 3, .within = 200ms}})
        .handle([&](std::span<const Order> batch) {
            std::this_thread::sleep_for(5ms);
            count += batch.size();
        });
    TestBroker test{broker, {.threads = true}};
    for (int i = 0; i < 8; ++i) broker.jetstream().publish("orders.eu", Order{std::to_string(i), 1});
    test.run();
    CHECK(count == 6);
    test.advance(200ms);
    CHECK(count == 8);
    CHECK(test.deliveries() == Outcome::ack);
    CHECK(test.deliveries().size() == 8);
}

TEST_CASE("with threads, workers of a pull subscriber settle everything") {
    Broker broker;
    std::atomic<int> count = 0;
    broker.subscriber<"orders.>">(js::Pull{.stream = orders(), .durable = "billing", .workers = 4})
        .handle([&](std::string_view) { ++count; });
    broker.subscriber<"orders.>">(js::Push{.stream = "ORDERS", .durable = "pushed", .workers = 2})
        .handle([&](std::string_view) { ++count; });
    TestBroker test{broker, {.threads = true}};
    for (int i = 0; i < 200; ++i) broker.jetstream().publish("orders.eu", "x");
    test.run();
    CHECK(count == 400);
    CHECK(broker.jetstream().consumer("ORDERS", "billing").info().ack_pending == 0);
    CHECK(broker.jetstream().consumer("ORDERS", "pushed").info().ack_pending == 0);
}
