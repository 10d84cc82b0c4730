// SPDX-License-Identifier: Apache-2.0
// Clients of one consumer that are served before others (ADR-42).
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

TEST_CASE_METHOD(PullFixture, "of pinned clients one gets everything, and another one when it is unpinned") {
    Seen one, two;
    const js::Pull pull{.stream = "ORDERS",
                        .durable = "worker",
                        .consumer = {.priority_policy = js::PriorityPolicy::pinned_client, .priority_groups = {"jobs"}},
                        .priority = {.group = "jobs"}};
    broker.subscriber<"orders.*">(pull).handle([&](const Message& message) { one.add(text(message)); });
    other.subscriber<"orders.*">(pull).handle([&](const Message& message) { two.add(text(message)); });
    broker.start();
    publish(10);
    CHECK(eventually([&] { return one.count() + two.count() == 10; }));
    CHECK((one.count() == 10 || two.count() == 10));
    const bool first = one.count() == 10;
    CHECK_FALSE(consumer().info().pinned_client.empty());
    consumer().unpin("jobs");
    publish(10);
    CHECK((first ? two : one).wait_for(1));
    other.stop();  // others of the ten are still under way, to what ends here
    broker.stop();
}

TEST_CASE_METHOD(PullFixture, "an overflow client gets messages only while many wait") {
    Seen seen;
    const js::ConsumerConfig config{.priority_policy = js::PriorityPolicy::overflow, .priority_groups = {"jobs"}};
    broker
        .subscriber<"orders.*">(js::Pull{.stream = "ORDERS",
                                         .durable = "worker",
                                         .consumer = config,
                                         .prefetch = 1,
                                         .priority = {.group = "jobs", .min_pending = 5}})
        .handle([&](const Message& message) { seen.add(text(message)); });
    broker.start();
    publish(4);
    CHECK(seen.count() == 0);
    publish("5");
    CHECK(seen.wait_for(1));
    CHECK(consumer().fetch({.messages = 4, .within = 2s, .group = "jobs"}).size() == 4);
}

TEST_CASE_METHOD(PullFixture, "an overflow client gets messages while many are unacknowledged, too") {
    Seen seen;
    const js::ConsumerConfig config{.priority_policy = js::PriorityPolicy::overflow, .priority_groups = {"jobs"}};
    broker
        .subscriber<"orders.*">(js::Pull{.stream = "ORDERS",
                                         .durable = "worker",
                                         .consumer = config,
                                         .priority = {.group = "jobs", .min_ack_pending = 3}})
        .handle([&](const Message& message) { seen.add(text(message)); });
    broker.start();
    publish(5);
    CHECK(seen.count() == 0);
    const auto held = consumer().fetch({.messages = 3, .within = 2s, .group = "jobs"});
    CHECK(held.size() == 3);
    REQUIRE(seen.wait_for(2));
    CHECK(seen.all() == std::vector<std::string>{"4", "5"});
    for (const auto& delivery : held) delivery.ack();
}

TEST_CASE_METHOD(PullFixture, "the client of the lowest level gets everything, and the next one when it is gone") {
    Seen first, second;
    js::Pull pull{.stream = "ORDERS",
                  .durable = "worker",
                  .consumer = {.priority_policy = js::PriorityPolicy::prioritized, .priority_groups = {"jobs"}},
                  .priority = {.group = "jobs", .level = 5}};
    Broker reserve{{.servers = {server.url()}, .name = "reserve"}};
    reserve.subscriber<"orders.*">(pull).handle([&](const Message& message) { second.add(text(message)); });
    pull.priority.level = 0;
    broker.subscriber<"orders.*">(pull).handle([&](const Message& message) { first.add(text(message)); });
    reserve.start();
    broker.start();
    std::size_t published = 0;
    const auto handle_one = [&] {
        publish(std::to_string(++published));
        REQUIRE(eventually([&] { return first.count() + second.count() == published; }));
    };
    while (first.count() == 0) handle_one();  // until the server knows that it waits
    const auto before = second.count();
    for (int i = 0; i < 20; ++i) handle_one();
    CHECK(second.count() == before);
    broker.stop();
    publish("last");
    CHECK(second.wait_for(before + 1));
}
