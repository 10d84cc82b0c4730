// SPDX-License-Identifier: Apache-2.0
// JetStream of the memory server under freshet::jetstream, and the same tests over nats-server where time need not pass.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::TestBroker;
using Texts = std::vector<std::string>;

namespace {

js::Stream orders(js::Stream more = {}) {
    more.name = "ORDERS";
    more.subjects = {"orders.>"};
    return more;
}

/// In memory, or for real.
std::unique_ptr<TestBroker> test_of(Broker& broker, bool real) {
    if (real) return std::make_unique<TestBroker>(broker, testing::with_server);
    return std::make_unique<TestBroker>(broker);
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
    CHECK(stream.message(2).message.text() == "two");
    CHECK(stream.last_message("orders.eu").message.text() == "three");
    CHECK(stream.last_message("orders.eu", js::Read::direct).message.text() == "three");
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
    Broker broker;
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

TEST_CASE("what a level-1 server lacks is refused by name") {
    Broker broker;
    TestBroker test{broker};
    const auto counters = broker.jetstream().try_declare({.name = "C", .subjects = {"c"}, .allow_msg_counter = true});
    REQUIRE_FALSE(counters);
    CHECK(counters.error().code() == Errc::server_too_old);
}
