// SPDX-License-Identifier: Apache-2.0
// Pull subscribers: what they get, how much of it at once, and how they end.
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using freshet::testing::text;

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
