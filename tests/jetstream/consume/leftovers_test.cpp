// SPDX-License-Identifier: Apache-2.0
// What a program leaves at the server when it stops; and what it asks of consumers that have nothing for it.
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::Both;
using freshet::testing::eventually;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

TEST_CASE_METHOD(PullFixture, "a clean stop leaves no consumers behind that nobody can use again") {
    auto values = other.kv<std::string>("texts");
    values.put("a", "1");
    const auto left = [&] {
        return other.jetstream().consumers("ORDERS").size() + other.jetstream().consumers("KV_texts").size();
    };
    publish(3);
    Seen seen;
    const auto handler = [&](const Message& message) { seen.add(text(message)); };
    std::vector<Subscriber> subscribers;
    for (int i = 0; i < 3; ++i) {
        subscribers.push_back(broker.subscriber<"*">(kv::Watch{.bucket = "texts"}).handle(handler));
        subscribers.push_back(broker.subscriber<"orders.*">(js::Ordered{.stream = "ORDERS"}).handle(handler));
        subscribers.push_back(broker
                                  .subscriber<"orders.*">(js::Pull{
                                      .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::all}})
                                  .handle(handler));
        subscribers.push_back(broker
                                  .subscriber<"orders.*">(js::Push{
                                      .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::all}})
                                  .handle(handler));
    }
    broker.start();
    REQUIRE(seen.wait_for(30));
    {
        auto watcher = values.watch();
        CHECK(watcher.initial().size() == 1);
        CHECK(left() == 13);
    }
    CHECK(eventually([&] { return left() == 12; }));
    const bool by_subscriber = GENERATE(false, true);
    if (by_subscriber)
        for (auto& subscriber : subscribers) subscriber.stop();
    else broker.stop();
    CHECK(eventually([&] { return left() == 0; }));
}

TEST_CASE_METHOD(PullFixture, "what was handled during a stop is settled before an ephemeral consumer goes") {
    other.jetstream().declare({.name = "JOBS", .subjects = {"jobs.>"}, .retention = js::Retention::workqueue});
    publish("1", "jobs.a");
    std::atomic<bool> running = false;
    std::atomic<bool> release = false;
    auto subscriber = broker
                          .subscriber<"jobs.*">(js::Pull{
                              .stream = "JOBS", .ephemeral = true, .consumer = {.deliver = js::Deliver::all}})
                          .handle([&](const Message&) {
                              running = true;
                              freshet::testing::eventually([&] { return release.load(); });
                          });
    broker.start();
    REQUIRE(eventually([&] { return running.load(); }));
    std::thread stopper{[&] { subscriber.stop(); }};
    release = true;
    stopper.join();
    CHECK(eventually([&] { return other.jetstream().stream("JOBS").info().state.messages == 0; }));
    CHECK(eventually([&] { return other.jetstream().consumers("JOBS").empty(); }));
}

TEST_CASE_METHOD(PullFixture, "a program that has the pin keeps it from one call to the next") {
    const auto jetstream = other.jetstream();
    jetstream.consumer("ORDERS", "worker")
        .declare({.filter_subjects = {"orders.*"},
                  .priority_policy = js::PriorityPolicy::pinned_client,
                  .priority_groups = {"jobs"},
                  .priority_timeout = 2min});
    publish(3);
    const auto worker = jetstream.consumer("ORDERS", "worker");
    for (int i = 1; i <= 3; ++i) {
        const auto fetched = worker.fetch({.messages = 1, .within = 2s, .group = "jobs"});
        REQUIRE(fetched.size() == 1);
        CHECK(fetched[0].message().text() == std::to_string(i));
        fetched[0].ack();
    }
    // Somebody takes it away: the next call gets a new one.
    jetstream.consumer("ORDERS", "worker").unpin("jobs");
    publish("4");
    const auto again = worker.fetch({.messages = 1, .within = 5s, .group = "jobs"});
    REQUIRE(again.size() == 1);
    CHECK(again[0].message().text() == "4");
}

TEST_CASE_METHOD(Both, "what is there now is nothing where all that may be unacknowledged is") {
    auto& test = start();
    const auto jetstream = broker.jetstream();
    jetstream.declare(orders);
    const auto worker = jetstream.consumer("ORDERS", "worker");
    worker.declare({.ack_wait = 1h, .max_ack_pending = 2});
    for (int i = 0; i < 5; ++i) test.client().jetstream().publish("orders.eu", std::string{"x"});
    CHECK(worker.fetch({.messages = 5, .within = 0ms}).size() == 2);
    CHECK(worker.fetch({.messages = 5, .within = 0ms}).empty());
    worker.pause(std::chrono::system_clock::now() + 1h);
    CHECK(worker.fetch({.messages = 5, .within = 0ms}).empty());
}

TEST_CASE_METHOD(Both, "reconcile pauses a consumer until the time it is told") {
    start();
    const auto jetstream = broker.jetstream();
    jetstream.declare(orders);
    const auto worker = jetstream.consumer("ORDERS", "worker");
    const auto until = std::chrono::system_clock::now() + 1h;
    worker.declare({});
    CHECK_FALSE(worker.info().paused);
    worker.declare({.pause_until = until}, js::Declare::reconcile);
    CHECK(worker.info().paused);
    worker.declare({.pause_until = until}, js::Declare::verify);
    worker.declare({.pause_until = until}, js::Declare::reconcile);
    CHECK(worker.info().config.pause_until == until);
}
