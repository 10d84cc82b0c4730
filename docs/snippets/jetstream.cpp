// SPDX-License-Identifier: Apache-2.0
// The code of docs/jetstream.md.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <fmt/format.h>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "connected.hpp"
#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::Errc;
using snippets::message_of;
using snippets::shown;
namespace js = freshet::js;

namespace {

struct Fixture : snippets::WithStreams {
    Order order = {"a1", 10};
    std::vector<std::string> lines = {};

    template <class... A>
    void log(fmt::format_string<A...> text, A&&... arguments) {
        lines.push_back(fmt::format(text, std::forward<A>(arguments)...));
    }
    void report(const std::string& name, std::uint64_t messages) { log("{}: {}", name, messages); }

    void start_with_orders() {
        broker.start();
        broker.jetstream().declare({.name = "ORDERS",
                                    .subjects = {"orders.>"},
                                    .max_age = 24h,
                                    .allow_direct = true,
                                    .allow_msg_ttl = true,
                                    .allow_atomic = true});
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "declare a stream") {
    broker.start();
    // [declare]
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .max_age = 24h};
    broker.jetstream().declare(orders);  // created, if it is missing
    // [declare]
    CHECK(broker.jetstream().stream_names() == std::vector<std::string>{"ORDERS"});
}

TEST_CASE_METHOD(Fixture, "verify a stream") {
    start_with_orders();
    CHECK(message_of([&] {
              broker.jetstream().declare(
                  {.name = "ORDERS", .storage = js::Storage::memory, .max_age = 48h, .declare = js::Declare::verify});
          }) == shown(R"(
// [differences]
stream "ORDERS" exists with other settings: max_age is 1d, wanted 2d; storage is "file", wanted "memory"; change the program, or let Declare::reconcile change the settings
// [differences]
)"));
}

TEST_CASE_METHOD(Fixture, "manage streams") {
    start_with_orders();
    for (int i = 0; i < 100; ++i) broker.jetstream().publish("orders.eu.created", order);
    // [manage]
    auto jetstream = broker.jetstream();
    for (const auto& info : jetstream.streams()) report(info.config.name, info.state.messages);

    auto orders = jetstream.stream("ORDERS");
    auto per_subject = orders.info({.subjects = "orders.eu.>"}).state.subjects;
    Order last = orders.last_message("orders.eu.created").decode<Order>();
    auto third = orders.message(3, js::Read::direct);  // by sequence, from any replica
    auto some = orders.messages({.subject = "orders.eu.>", .from_sequence = 10, .limit = 50});
    orders.purge({.subject = "orders.eu.>", .keep = 10});  // all but the latest ten
    // [manage]
    CHECK(per_subject.at("orders.eu.created") == 100);
    CHECK(last.id == "a1");
    CHECK(third.sequence() == 3);
    CHECK(some.size() == 50);
    CHECK(orders.info().state.messages == 10);
}

TEST_CASE_METHOD(Fixture, "publish") {
    start_with_orders();
    // [publish]
    auto jetstream = broker.jetstream();
    js::PublishAck ack = jetstream.publish("orders.eu.created", order, {.id = order.id});
    log("stored in {} at {}", ack.stream, ack.sequence);

    if (jetstream.publish("orders.eu.created", order, {.id = order.id}).duplicate) log("it was there before");
    // [publish]
    // [expect]
    auto changed = jetstream.try_publish("orders.eu.created", order, {.expect_last_subject_sequence = ack.sequence});
    if (!changed && changed.error().code() == Errc::wrong_last_sequence) log("somebody else was faster");
    // [expect]
    CHECK(changed);
    CHECK(lines == std::vector<std::string>{"stored in ORDERS at 1", "it was there before"});
    CHECK(message_of([&] { jetstream.publish("nobody.listens", order, {.retries = 0}); }) == shown(R"(
// [no-stream]
publish to "nobody.listens": no stream stores this subject, or JetStream is not enabled (nats-server -js); create one, or check the subject (in a cluster, its servers may be down)
// [no-stream]
)"));
}

TEST_CASE_METHOD(Fixture, "publish many") {
    start_with_orders();
    std::atomic<int> failed = 0;
    const std::vector<Order> many(1'000, order);
    // [async]
    auto publisher = broker.jetstream().async_publisher({.max_pending = 4'096});
    for (const Order& each : many) publisher.publish("orders.eu.created", each);
    publisher.flush(10s);  // throws what failed

    publisher.publish("orders.eu.created", order, {}, [&](freshet::Expected<js::PublishAck> ack) {
        if (!ack) ++failed;
    });
    freshet::Future<js::PublishAck> later = publisher.publish_future("orders.eu.created", order);
    // [async]
    CHECK(later.get().sequence == 1'002);
    publisher.flush(10s);
    CHECK(failed == 0);
}

TEST_CASE_METHOD(Fixture, "publish all or none") {
    start_with_orders();
    // [batch]
    auto batch = broker.jetstream().atomic_batch();
    batch.add("orders.eu.created", Order{"a1", 10});
    batch.add("orders.eu.created", Order{"a2", 20});
    js::PublishAck ack = batch.commit();  // both are stored now, or neither
    // [batch]
    CHECK(ack.batched == 2);
}

TEST_CASE_METHOD(Fixture, "count") {
    broker.start();
    // [fast]
    broker.jetstream().declare({.name = "IMPORTS", .subjects = {"imports.>"}, .allow_batched = true});
    auto rows = broker.jetstream().fast_batch();
    for (int i = 0; i < 1'000; ++i) rows.add("imports.orders", Order{"i" + std::to_string(i), 1.0});
    rows.commit();  // all of them are stored
    // [fast]
    // [counter]
    auto jetstream = broker.jetstream();
    jetstream.declare({.name = "COUNTS", .subjects = {"count.>"}, .allow_msg_counter = true});
    auto hits = jetstream.increment("count.hits", 2).number();
    auto now = jetstream.stream("COUNTS").counter("count.hits").number();
    // [counter]
    CHECK(hits == 2);
    CHECK(now == 2);
}

TEST_CASE_METHOD(Fixture, "publish later") {
    start_with_orders();
    auto jetstream = broker.jetstream();
    // [schedule]
    jetstream.declare({.name = "PLANS", .subjects = {"plans.>", "due.>"}, .allow_msg_schedules = true});
    jetstream.publish("plans.reminder.a1", order,
                      {.schedule =
                           js::Schedule{.at = std::chrono::system_clock::now() + 1h, .target = "due.reminder"}});
    jetstream.publish("plans.report", std::string{"daily"},
                      {.schedule =
                           js::Schedule{.cron = "0 0 5 * * *", .time_zone = "Europe/Berlin", .target = "due.report"}});
    jetstream.publish("orders.eu.created", order, {.ttl = 15min});  // removed after that
    // [schedule]
    CHECK(jetstream.stream("PLANS").info().state.messages == 2);
}
