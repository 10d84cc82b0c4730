// SPDX-License-Identifier: Apache-2.0
// Publishing into streams of a server: acknowledgements, expectations, many at once, batches, counters, schedules.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/types.hpp"
#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

struct Fixture : testing::JetStreamFixture {
    Fixture() {
        js.declare({.name = "ORDERS",
                    .subjects = {"orders.>"},
                    .storage = js::Storage::memory,
                    .allow_direct = true,
                    .allow_msg_ttl = true,
                    .allow_atomic = true});
    }
    Errc fault(std::string_view subject, const js::PublishOptions& options) const {
        const auto ack = js.try_publish(subject, Order{"a", 1}, options);
        return ack ? Errc{} : static_cast<Errc>(ack.error().code().value());
    }
    std::uint64_t stored() const { return orders.info().state.messages; }

    js::JetStream js = started();
    js::StreamHandle orders = js.stream("ORDERS");
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a typed value is stored and acknowledged") {
    const auto ack = js.publish("orders.eu", Order{"a1", 10}, {.headers = {{"k", "v"}}});
    CHECK(ack.stream == "ORDERS");
    CHECK(ack.sequence == 1);
    CHECK_FALSE(ack.duplicate);
    const auto stored = orders.message(1);
    CHECK(stored.decode<Order>().id == "a1");
    CHECK(stored.header("k") == "v");
}

TEST_CASE_METHOD(Fixture, "a duplicate is told, and stored once") {
    CHECK_FALSE(js.publish("orders.eu", Order{"a", 1}, {.id = "a"}).duplicate);
    const auto again = js.publish("orders.eu", Order{"a", 1}, {.id = "a"});
    CHECK(again.duplicate);
    CHECK(again.sequence == 1);
    CHECK(stored() == 1);
}

TEST_CASE_METHOD(Fixture, "expectations that are not met are errors of their own, and nothing is stored") {
    js.publish("orders.eu", Order{"a", 1}, {.id = "a"});
    js.publish("orders.us", Order{"b", 1}, {.id = "b"});
    CHECK(fault("orders.eu", {.expect_stream = "OTHER"}) == Errc::wrong_stream);
    CHECK(fault("orders.eu", {.expect_last_sequence = 1}) == Errc::wrong_last_sequence);
    CHECK(fault("orders.eu", {.expect_last_subject_sequence = 2}) == Errc::wrong_last_sequence);
    CHECK(fault("orders.eu", {.expect_last_subject_sequence = 1, .expect_last_subject = "orders.*"}) ==
          Errc::wrong_last_sequence);
    CHECK(fault("orders.eu", {.expect_last_id = "a"}) == Errc::wrong_last_id);
    CHECK(stored() == 2);
    CHECK(js.publish("orders.eu", Order{"c", 1},
                     {.expect_stream = "ORDERS", .expect_last_sequence = 2, .expect_last_id = "b"})
              .sequence == 3);
    CHECK(js.publish("orders.eu", Order{"c", 1}, {.expect_last_subject_sequence = 3}).sequence == 4);
    CHECK(js.publish("orders.de", Order{"c", 1}, {.expect_last_subject_sequence = 0}).sequence == 5);
    CHECK(js.publish("orders.fr", Order{"c", 1}, {.expect_last_subject_sequence = 5, .expect_last_subject = "orders.*"})
              .sequence == 6);
}

TEST_CASE_METHOD(Fixture, "a subject without a stream, and one that a service answers") {
    const auto nobody = js.try_publish("nobody.listens", Order{}, {.retries = 1, .retry_wait = 1ms});
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == Errc::no_stream);
    CHECK_THAT(std::string{nobody.error().message()}, ContainsSubstring("\"nobody.listens\""));
    CHECK(fault("bad subject", {}) == Errc::bad_subject);

    Broker service{{.servers = {server.url()}}};
    service.subscriber<"calc">().handle([](const Order&) { return Sum{1}; });
    service.start();
    const auto answer = js.try_publish("calc", Order{}, {.timeout = 100ms});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == Errc::timeout);
    CHECK_THAT(std::string{answer.error().message()}, ContainsSubstring("a service on this subject answered instead"));
    auto publisher = js.async_publisher();
    publisher.publish("calc", Order{}, {.timeout = 100ms});
    const auto flushed = publisher.try_flush(10s);
    REQUIRE_FALSE(flushed);
    CHECK_THAT(std::string{flushed.error().message()}, ContainsSubstring("a service on this subject answered instead"));
}

TEST_CASE_METHOD(Fixture, "a service that answers on a stream's subject does not answer for the stream") {
    Broker service{{.servers = {server.url()}}};
    service.subscriber<"orders.{kind}">().handle([](const Order&, Path<"kind", std::string> kind) {
        if (*kind == "fails") throw std::runtime_error{"no"};
        return Sum{1};
    });
    service.subscriber<"orders.{number}">().handle([](const Order&, Path<"number", int>) {});
    service.start();
    constexpr std::uint64_t count = 200;
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < count; ++i)
        last = js.publish(i % 2 == 0 ? "orders.works" : "orders.fails", Order{"a", 1}).sequence;
    CHECK(last == count);
    auto publisher = js.async_publisher();
    for (std::uint64_t i = 0; i < count; ++i)
        publisher.publish(i % 2 == 0 ? "orders.works" : "orders.fails", Order{"a", 1});
    publisher.flush(10s);
    CHECK(stored() == 2 * count);
}

TEST_CASE_METHOD(Fixture, "a stream that stores a request does not answer for the service") {
    broker.subscriber("orders.refused").handle([](std::string_view) -> std::string {
        throw RemoteError{422, "the amount is negative"};
    });
    broker.subscriber("orders.mute").handle([](std::string_view) {});
    const auto refused = [](const Error& error) { return error.remote_code() == 422; };
    for (int n = 0; n < 20; ++n) {  // whoever is faster
        const auto answer = broker.try_request<std::string>("orders.refused", "", {.timeout = 20s});
        REQUIRE_FALSE(answer);
        CHECK(refused(answer.error()));
    }
    const auto client = broker.client<std::string(std::string)>("orders.refused", {.timeout = 20s});
    try {
        client.async("").get();
        FAIL("it succeeded");
    } catch (const Error& error) { CHECK(refused(error)); }
    auto many = broker.request_many<std::string>("orders.refused", "", {.timeout = 20s, .max_replies = 1});
    const auto first = many.next();
    REQUIRE(first);
    REQUIRE_FALSE(*first);
    CHECK(refused(first->error()));

    const auto unanswered = broker.try_request<void>("orders.mute", "", {.timeout = 50ms});
    REQUIRE_FALSE(unanswered);
    CHECK(unanswered.error().code() == Errc::timeout);
    CHECK_THAT(std::string{unanswered.error().message()}, ContainsSubstring("a stream stored the request"));
}

TEST_CASE_METHOD(
    Fixture, "publish and flush in a function that is told of an acknowledgement are refused, and nothing is stored") {
    auto publisher = js.async_publisher();
    std::promise<std::string> said;
    publisher.publish("orders.1", Order{"a", 1}, {}, [&](const Expected<js::PublishAck>&) {
        std::string text;
        for (const auto& error : {js.try_publish("orders.2", Order{"a", 1}).error(), publisher.try_flush(10s).error(),
                                  js.try_publish("orders.2", Order{"a", 1}, {.ttl = 1h}).error()})
            text += std::string{error.message()} + "\n";
        said.set_value(text);
    });
    const auto text = said.get_future().get();
    CHECK_THAT(text, ContainsSubstring("publish to \"orders.2\": refused, since a function given to async must not"));
    CHECK_THAT(text, ContainsSubstring("flush: refused, since a function given to async must not"));
    CHECK(stored() == 1);
}

TEST_CASE_METHOD(Fixture, "in a handler, a function that is told at once may publish although the window is full") {
    auto publisher = js.async_publisher({.max_pending = 1});
    std::atomic<bool> done = false;
    broker.subscriber<"start">().handle([&](Bytes) {
        const std::string too_large(std::size_t{2} << 20, 'x');  // refused before it is sent
        publisher.publish("orders.eu", too_large, {.retries = 0}, [&](const Expected<js::PublishAck>& ack) {
            if (!ack) publisher.publish("orders.eu", "instead");
        });
        done = true;
    });
    broker.publish("start", "");
    CHECK(eventually([&] { return done.load(); }));
    publisher.flush(10s);
    CHECK(stored() == 1);
}

TEST_CASE_METHOD(Fixture, "what a handler publishes carries its correlation id also when it is sent again") {
    auto publisher = js.async_publisher();
    broker.subscriber<"start">().handle([&](Bytes) {
        publisher.publish("comes.late", "x", {.retries = 1'000, .retry_wait = 10ms});
    });
    const auto sent = [&] { return broker.stats().transport.out_messages; };
    const auto before = sent();
    broker.publish("start", "", {.headers = {{"correlation_id", "corr-1"}}});
    REQUIRE(eventually([&] { return sent() >= before + 3; }));  // it found no stream, and was sent again
    js.declare({.name = "COMES", .subjects = {"comes.>"}, .storage = js::Storage::memory});
    publisher.flush(10s);
    CHECK(js.stream("COMES").message(1).message().header("correlation_id") == "corr-1");
}

TEST_CASE_METHOD(Fixture, "a stream that comes while publish tries again is found") {
    std::jthread creator{[&] {
        std::this_thread::sleep_for(100ms);
        js.declare({.name = "LATE", .subjects = {"late"}, .storage = js::Storage::memory});
    }};
    CHECK(js.publish("late", Order{}, {.retries = 1'000, .retry_wait = 10ms}).stream == "LATE");
    auto publisher = js.async_publisher();
    creator.join();
    js.stream("LATE").remove();
    auto ack = publisher.publish_future("late", Order{}, {.retries = 1'000, .retry_wait = 10ms});
    js.declare({.name = "LATE", .subjects = {"late"}, .storage = js::Storage::memory});
    CHECK(ack.get().sequence == 1);
}

TEST_CASE_METHOD(Fixture, "a full stream refuses, and says so") {
    js.declare({.name = "SMALL",
                .subjects = {"small"},
                .storage = js::Storage::memory,
                .max_msgs = 1,
                .max_msg_size = 100,
                .discard = js::Discard::incoming});
    js.publish("small", Order{});
    CHECK(fault("small", {}) == Errc::limit_reached);
    CHECK(js.try_publish("small", std::string(200, 'x')).error().code() == Errc::payload_too_large);
}

TEST_CASE_METHOD(Fixture, "a message goes when its TTL is over") {
    js.publish("orders.short", Order{}, {.ttl = 1s});
    js.publish("orders.long", Order{}, {.ttl = 1h});
    CHECK(stored() == 2);
    CHECK(eventually([&] { return stored() == 1; }));
    CHECK(orders.last_message("orders.long").message().header("Nats-TTL") == "3600s");

    js.declare({.name = "PLAIN", .subjects = {"plain"}, .storage = js::Storage::memory});
    const auto refused = js.try_publish("plain", Order{}, {.ttl = 1s});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::bad_setup);
    CHECK_THAT(std::string{refused.error().message()}, ContainsSubstring("allow_msg_ttl"));
}

TEST_CASE_METHOD(Fixture, "scheduled messages come at their time, once or again and again") {
    js.declare({.name = "PLANS",
                .subjects = {"plans.>", "due.>"},
                .storage = js::Storage::memory,
                .allow_msg_ttl = true,
                .allow_msg_schedules = true});
    const auto plans = js.stream("PLANS");
    js.publish("plans.once", Order{"once", 1},
               {.schedule = js::Schedule{.at = std::chrono::system_clock::now() + 100ms, .target = "due.once"}});
    js.publish("plans.often", Order{"often", 1}, {.schedule = js::Schedule{.every = 1s, .target = "due.often"}});
    js.publish("plans.daily", Order{"daily", 1},
               {.schedule = js::Schedule{.cron = "@daily", .time_zone = "UTC", .target = "due.daily", .ttl = 1h}});
    CHECK(eventually([&] { return plans.try_last_message("due.once").has_value(); }));
    CHECK(plans.last_message("due.once").decode<Order>().id == "once");
    CHECK(eventually([&] { return !plans.try_last_message("plans.once").has_value(); }));
    CHECK(eventually([&] { return plans.info({.subjects = "due.often"}).state.subjects["due.often"] >= 2; }));
    CHECK(plans.purge({.subject = "plans.often"}) == 1);
    CHECK(plans.last_message("plans.daily").message().header("Nats-Schedule-TTL") == "3600s");
    CHECK(fault("plans.bad", {.schedule = js::Schedule{.cron = "not a cron", .target = "due.x"}}) == Errc::remote);
}

TEST_CASE_METHOD(Fixture, "a schedule publishes what another subject has, and keeps the last of it alone") {
    js.declare({.name = "PLANS",
                .subjects = {"plans.>", "due.>", "prices.>"},
                .storage = js::Storage::memory,
                .allow_rollup = true,
                .allow_msg_schedules = true});
    const auto plans = js.stream("PLANS");
    js.publish("prices.a", Order{"old", 1});
    js.publish("plans.a", Order{"own", 0},
               {.schedule = js::Schedule{.every = 1s, .target = "due.a", .source = "prices.a", .rollup = true}});
    const auto published = [&](std::string_view id) {
        return eventually([&] {
            const auto found = plans.try_last_message("due.a");
            return found && found->decode<Order>().id == id;
        });
    };
    CHECK(published("old"));
    js.publish("prices.a", Order{"new", 2});
    CHECK(published("new"));
    CHECK(plans.info({.subjects = "due.a"}).state.subjects["due.a"] == 1);
}

TEST_CASE_METHOD(Fixture, "async: every message gets its own result, by function and by future") {
    auto publisher = js.async_publisher({.max_pending = 16});
    std::atomic<int> acknowledged = 0;
    std::atomic<int> failed = 0;
    for (int i = 0; i < 500; ++i) {
        publisher.publish("orders.eu", Order{std::to_string(i), 1}, {.id = std::to_string(i % 250)},
                          [&](const Expected<js::PublishAck>& ack) { ++(ack ? acknowledged : failed); });
        CHECK(publisher.pending() <= 16);
    }
    auto good = publisher.publish_future("orders.eu", Order{});
    auto bad = publisher.publish_future("orders.eu", Order{}, {.expect_last_sequence = 1});
    publisher.flush(30s);
    CHECK(acknowledged == 500);
    CHECK(failed == 0);
    CHECK(good.get().stream == "ORDERS");
    CHECK_THROWS_AS(bad.get(), Error);
    CHECK(stored() == 251);
    CHECK(publisher.pending() == 0);
}

TEST_CASE_METHOD(Fixture, "async: what nobody asked for comes out of flush") {
    auto publisher = js.async_publisher();
    publisher.publish("orders.eu", Order{});
    publisher.publish("nobody.listens", Order{}, {.retries = 0});
    publisher.publish("orders.eu", Order{}, {.expect_stream = "OTHER"});
    const auto flushed = publisher.try_flush(30s);
    REQUIRE_FALSE(flushed);
    CHECK_THAT(std::string{flushed.error().message()}, ContainsSubstring("2 messages were not stored"));
    publisher.flush(1s);
    CHECK_FALSE(publisher.try_publish("bad subject", Order{}));
    CHECK(stored() == 1);
}

TEST_CASE_METHOD(Fixture, "async: publishing inside an acknowledgement and inside a handler") {
    auto publisher = js.async_publisher({.max_pending = 1});
    std::promise<std::uint64_t> second;
    publisher.publish("orders.eu", Order{}, {}, [&](const Expected<js::PublishAck>&) {
        publisher.publish("orders.eu", Order{}, {},
                          [&](const Expected<js::PublishAck>& ack) { second.set_value(ack->sequence); });
    });
    CHECK(second.get_future().get() == 2);
    publisher.flush(30s);

    Broker service{{.servers = {server.url()}}};
    std::promise<void> handled;
    auto copies = service.jetstream().async_publisher({.max_pending = 4});
    service.subscriber<"in">().handle([&](const Order& order) {
        for (int i = 0; i < 100; ++i) copies.publish("orders.copy", order);
        copies.flush(30s);
        handled.set_value();
    });
    service.start();
    broker.publish("in", Order{});
    handled.get_future().get();
    CHECK(stored() == 102);
}

TEST_CASE_METHOD(Fixture, "async: from many threads, all are stored") {
    auto publisher = js.async_publisher();
    constexpr int each = 5'000;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < each; ++i) publisher.publish("orders.eu", Order{"x", 1});
            });
    }
    publisher.flush(60s);
    CHECK(stored() == 4 * each);
}

TEST_CASE_METHOD(Fixture, "async: a server that goes and comes back, with ids nothing is lost or stored twice") {
    js.declare({.name = "KEPT", .subjects = {"kept"}});
    constexpr int count = 2'000;
    // Room for all: a full window would block this thread, which is to start the server again.
    auto publisher = js.async_publisher({.max_pending = count});
    for (int i = 0; i < count; ++i) {
        if (i == count / 2) server.kill();
        if (i == count / 2 + 20) server.restart();
        publisher.publish("kept", std::to_string(i),
                          {.id = std::to_string(i), .timeout = 500ms, .retries = 200, .retry_wait = 50ms});
    }
    publisher.flush(60s);
    CHECK(js.stream("KEPT").info().state.messages == count);
}

TEST_CASE_METHOD(Fixture, "async: stopping the broker ends what is under way, told") {
    server.pause();
    auto publisher = js.async_publisher();
    auto pending = publisher.publish_future("orders.eu", Order{});
    publisher.publish("orders.eu", Order{});
    broker.stop(100ms);
    CHECK_THROWS_AS(pending.get(), Error);
    const auto flushed = publisher.try_flush(10s);
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().code() == Condition::disconnected);
    server.resume();
}

TEST_CASE_METHOD(Fixture, "a batch is stored as a whole") {
    auto batch = js.atomic_batch();
    for (int i = 0; i < 200; ++i) batch.add("orders.eu", Order{std::to_string(i), 1});
    CHECK(batch.size() == 200);
    CHECK(stored() == 0);
    const auto ack = batch.commit();
    CHECK(ack.batched == 200);
    CHECK(ack.sequence == 200);
    CHECK(stored() == 200);
    CHECK(orders.message(17).decode<Order>().id == "16");

    batch.add("orders.eu", Order{"again", 1});  // a new one
    CHECK(batch.commit().sequence == 201);
    CHECK(batch.try_commit().error().code() == Errc::bad_setup);
}

TEST_CASE_METHOD(Fixture, "a batch that cannot be stored stores nothing") {
    js.publish("orders.eu", Order{});
    auto stale = js.atomic_batch();
    stale.add("orders.us", Order{}, {.expect_last_sequence = 0});
    stale.add("orders.us", Order{});
    CHECK(stale.try_commit().error().code() == Errc::wrong_last_sequence);
    CHECK(stored() == 1);

    {
        auto dropped = js.atomic_batch();
        for (int i = 0; i < 10; ++i) dropped.add("orders.eu", Order{});
    }
    auto large = js.atomic_batch();
    Expected<void> added;
    for (int i = 0; i < 1'100 && added; ++i) added = large.try_add("orders.eu", Order{});
    const auto refused = large.try_commit();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::batch_refused);
    CHECK(stored() == 1);

    js.declare({.name = "PLAIN", .subjects = {"plain"}, .storage = js::Storage::memory});
    auto plain = js.atomic_batch();
    plain.add("plain", Order{});
    const auto disabled = plain.try_add("plain", Order{});
    REQUIRE_FALSE(disabled);
    CHECK(disabled.error().code() == Errc::batch_refused);
    CHECK_THAT(std::string{disabled.error().message()}, ContainsSubstring("allow_atomic"));
    CHECK(plain.try_commit().error().code() == Errc::batch_refused);
}

TEST_CASE_METHOD(Fixture, "counters count") {
    js.declare({.name = "COUNT", .subjects = {"count.>"}, .storage = js::Storage::memory, .allow_msg_counter = true});
    CHECK(js.increment("count.hits").number() == 1);
    CHECK(js.increment("count.hits", 41).number() == 42);
    CHECK(js.increment("count.hits", -50).number() == -8);
    const auto counters = js.stream("COUNT");
    CHECK(counters.counter("count.hits").digits == "-8");
    CHECK(counters.try_counter("count.none").error().code() == Errc::message_not_found);
    js.increment("count.large", std::numeric_limits<std::int64_t>::max());
    CHECK(js.increment("count.large", 1).try_number().error().code() == Errc::bad_payload);
    CHECK(js.try_increment("orders.eu").error().code() == Errc::bad_setup);
    CHECK(js.try_publish("count.hits", Order{}).error().code() == Errc::bad_setup);
}

TEST_CASE_METHOD(testing::JetStreamFixture,
                 "a message is whole until its publication has returned, also if the answer is faster") {
    // Slower than the acknowledgement: then it looks at what it was given once more.
    std::atomic<int> whole = 0;
    broker.use_publish([&](Outgoing& out, NextPublish next) {
        const std::string subject{out.subject};
        const std::string body{as_text(out.body)};
        auto sent = next(out);
        if (subject.starts_with("orders.") || subject.starts_with("dead.")) {
            std::this_thread::sleep_for(200ms);
            whole += out.subject == subject && as_text(out.body) == body;
        }
        return sent;
    });
    const std::string body(1'000, 'x');
    broker
        .subscriber<"orders.failing.with.a.long.subject">(js::Pull{
            .stream = js::Stream{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory},
            .durable = "failing",
            .retry = {.max_attempts = 1, .dead_letter = "dead.orders.with.a.long.subject"}})
        .handle([] { throw std::runtime_error{"no"}; });
    const auto js = started();
    js.declare({.name = "DEAD", .subjects = {"dead.>"}, .storage = js::Storage::memory});
    auto publisher = js.async_publisher();
    publisher.publish("orders.failing.with.a.long.subject", body);
    publisher.flush(5s);
    CHECK(whole >= 1);  // the dead letter may be on its way already
    CHECK(eventually([&] { return js.stream("DEAD").info().state.messages == 1; }));
    CHECK(eventually([&] { return whole == 2; }));
    CHECK(js.stream("DEAD").message(1).message().text() == body);
}
