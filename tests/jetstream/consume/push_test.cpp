// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using freshet::testing::Seen;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream in_memory{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

struct PushFixture {
    PushFixture() {
        other.start();
        other.jetstream().declare(orders);
    }
    BrokerOptions options() const {
        return {.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}};
    }
    void publish(const std::string& body) {
        REQUIRE(eventually([&] { return other.jetstream().try_publish("orders.eu", body).has_value(); }));
    }
    void publish(int count) {
        for (int i = 1; i <= count; ++i) publish(std::to_string(i));
    }
    js::ConsumerInfo info() { return other.jetstream().consumer("ORDERS", "worker").info(); }
    /// With what ConsumerInfo leaves out.
    std::string raw_info() { return other.request<std::string>("$JS.API.CONSUMER.INFO.ORDERS.worker", ""); }
    bool all_settled() {
        return eventually([&] { return info().ack_pending + info().pending == 0; });
    }

    NatsServer server{{.jetstream = true}};
    Broker other{options()};
    Broker broker{options()};
};

std::string text(const Message& message) { return std::string{message.text()}; }

}  // namespace

TEST_CASE_METHOD(PushFixture, "a push subscriber is sent what was stored and what comes, and settles it") {
    Seen seen;
    broker
        .subscriber<"orders.{region}">(js::Push{.stream = "ORDERS", .durable = "worker", .retry = {.backoff = {10ms}}})
        .handle([&](const Message& message, Path<"region">) {
            seen.add(text(message) + ' ' + std::to_string(message.metadata()->deliveries));
            if (text(message) == "2" && message.metadata()->deliveries == 1) throw std::runtime_error{"not yet"};
        });
    publish(2);
    broker.start();
    REQUIRE(seen.wait_for(3));
    publish("3");
    REQUIRE(seen.wait_for(4));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"1 1", "2 1", "2 2", "3 1"});
    CHECK(info().push);
}

TEST_CASE_METHOD(PushFixture, "members of a queue share the messages of a durable push consumer") {
    std::atomic<int> one = 0;
    std::atomic<int> two = 0;
    const js::Push push{.stream = "ORDERS", .durable = "worker", .queue = "workers"};
    broker.subscriber<"orders.*">(push).handle([&](std::string_view) { ++one; });
    broker.start();
    Broker second{options()};
    second.subscriber<"orders.*">(push).handle([&](std::string_view) { ++two; });
    second.start();
    publish(100);
    CHECK(eventually([&] { return one + two == 100; }));
    CHECK(one > 0);
    CHECK(two > 0);
    CHECK(all_settled());
}

TEST_CASE_METHOD(PushFixture, "a push consumer without a queue takes one subscriber") {
    const js::Push push{.stream = "ORDERS", .durable = "worker"};
    broker.subscriber<"orders.*">(push).handle([](std::string_view) {});
    broker.start();
    Broker second{options()};
    second.subscriber<"orders.*">(push).handle([](std::string_view) {});
    try {
        second.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::consumer_exists);
        CHECK_THAT(error.what(), ContainsSubstring("has a subscriber already"));
    }
}

TEST_CASE_METHOD(PushFixture, "a push consumer waits for handlers: of many messages none is lost, and few are held") {
    std::latch release{1};
    std::atomic<int> handled = 0;
    broker
        .subscriber<"orders.*">(js::Push{.stream = "ORDERS",
                                         .ephemeral = true,
                                         .consumer = {.deliver = js::Deliver::all, .acks = js::Acks::none},
                                         .heartbeat = 200ms})
        .handle([&](std::string_view) {
            release.wait();
            ++handled;
        });
    const std::string body(10'000, 'x');
    for (int i = 0; i < 2'000; ++i) other.publish("orders.eu", body);
    REQUIRE(eventually([&] { return other.jetstream().stream("ORDERS").info().state.messages == 2'000; }));
    broker.start();
    REQUIRE(eventually([&] { return broker.stats().received == 1; }));
    release.count_down();
    CHECK(eventually([&] { return handled == 2'000; }));
}

TEST_CASE_METHOD(PushFixture, "a push consumer sends as fast as it may, and without flow control if told so") {
    std::atomic<int> handled = 0;
    // The size of a message may be sent at once.
    other.jetstream().declare({.name = "ORDERS", .max_msg_size = 20'000, .declare = js::Declare::reconcile});
    const std::string body(10'000, 'x');
    for (int i = 0; i < 10; ++i) publish(body);
    broker
        .subscriber<"orders.*">(js::Push{.stream = "ORDERS",
                                         .durable = "worker",
                                         .consumer = {.rate_limit = 1'600'000},  // 200 kB in a second
                                         .flow_control = false})
        .handle([&](std::string_view) { ++handled; });
    const auto begin = std::chrono::steady_clock::now();
    broker.start();
    CHECK(info().config.rate_limit == 1'600'000);
    CHECK_THAT(raw_info(), !ContainsSubstring("flow_control"));
    CHECK(eventually([&] { return handled == 10; }));
    CHECK(std::chrono::steady_clock::now() - begin >= 200ms);  // 400 for 80 kB
    CHECK(all_settled());
}

TEST_CASE_METHOD(PushFixture, "a push subscriber uses its consumer as it is, verifies it, or changes it, as told") {
    js::Push push{.stream = "ORDERS", .durable = "worker", .consumer = {.ack_wait = 9s}};
    broker.subscriber<"orders.*">(push).handle([](std::string_view) {});
    broker.start();
    CHECK_THAT(raw_info(), ContainsSubstring("flow_control"));
    broker.stop();
    const auto restarted = [&](js::Declare declare) {
        push.declare = declare;
        push.consumer.ack_wait = 7s;
        Broker again{options()};
        again.subscriber<"orders.*">(push).handle([](std::string_view) {});
        again.start();
    };
    restarted(js::Declare::create_if_missing);
    CHECK_THROWS_WITH(restarted(js::Declare::verify), ContainsSubstring("ack_wait is 9s, wanted 7s"));
    CHECK(info().config.ack_wait == 9s);
    restarted(js::Declare::reconcile);
    CHECK(info().config.ack_wait == 7s);
    restarted(js::Declare::verify);
    restarted(js::Declare::never);
    other.jetstream().consumer("ORDERS", "worker").remove();
    CHECK_THROWS_WITH(restarted(js::Declare::never), ContainsSubstring("\"worker\""));
}

TEST_CASE_METHOD(PushFixture, "a push subscriber survives its consumer's deletion and the server's restart") {
    other.jetstream().stream("ORDERS").remove();
    Seen seen;
    broker.subscriber<"orders.*">(js::Push{.stream = in_memory, .durable = "worker", .heartbeat = 200ms})
        .handle([&](const Message& message) { seen.add(text(message)); });
    broker.start();
    publish("1");
    REQUIRE(seen.wait_for(1));
    REQUIRE(all_settled());
    other.jetstream().consumer("ORDERS", "worker").remove();
    publish("2");
    CHECK(seen.wait_for(2));
    server.restart();
    publish("3");
    CHECK(seen.wait_for(3));
    CHECK(seen.all() == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE_METHOD(PushFixture, "messages whose subjects begin with the deliver subject are no statuses") {
    // As other programs make consumers: with a deliver subject of their choice.
    other.request<std::string>(
        "$JS.API.CONSUMER.CREATE.ORDERS.worker",
        std::string{R"({"stream_name":"ORDERS","config":{"name":"worker","durable_name":"worker",)"
                    R"("deliver_subject":"orders","filter_subject":"orders.*","ack_policy":"explicit"}})"});
    Seen seen;
    broker.subscriber<"orders.*">(js::Push{.stream = "ORDERS", .durable = "worker"})
        .handle([&](const Message& message) { seen.add(text(message)); });
    publish(5);
    broker.start();
    CHECK(seen.wait_for(5));
    CHECK(all_settled());
    // Somebody asks for an answer elsewhere, as flow control does.
    Seen answers;
    other.subscriber<"elsewhere">().handle([&](const Message& message) { answers.add(text(message)); });
    other.publish("orders", std::string{}, {.headers = {{"Status", "100"}}, .reply_to = "elsewhere"});
    publish("6");
    CHECK(seen.wait_for(6));
    other.request<std::string>("$JS.API.INFO", std::string{});
    CHECK(answers.count() == 0);
}

TEST_CASE_METHOD(PushFixture, "pull and push consumers are not taken for each other") {
    other.jetstream().consumer("ORDERS", "worker").declare({});
    broker.subscriber<"orders.*">(js::Push{.stream = "ORDERS", .durable = "worker"}).handle([](std::string_view) {});
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) { CHECK_THAT(error.what(), ContainsSubstring("is a pull consumer; use js::Pull")); }
}

TEST_CASE_METHOD(PushFixture, "mistakes in a push subscriber's settings are reported by start") {
    broker.subscriber<"a">(js::Push{.stream = "ORDERS", .queue = "bad queue"}).handle([](std::string_view) {});
    broker
        .subscriber<"b">(js::Push{.stream = "ORDERS",
                                  .ephemeral = true,
                                  .queue = "q",
                                  .consumer = {.deliver = js::Deliver::all},
                                  .heartbeat = 1ms})
        .handle([](std::string_view) {});
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        for (const auto* words :
             {"js::Push needs either `durable`", "queue \"bad queue\"", "js::Push with a `queue` needs a `durable`",
              "js::Push::heartbeat is less than 100 ms"}) {
            CHECK_THAT(error.what(), ContainsSubstring(words));
        }
    }
}
