// SPDX-License-Identifier: Apache-2.0
// The publications of a stored message's handler, confirmed: in memory, and the same over nats-server.
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../support/log_lines.hpp"
#include "memory/jetstream/memory_support.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::LogLines;
using freshet::testing::test_of;
using freshet::testing::TestBroker;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream valid{.name = "VALID", .subjects = {"valid.>"}, .allow_direct = true};

js::Pull pull() { return {.stream = orders, .durable = "worker", .retry = {.backoff = {1s}}}; }

}  // namespace

TEST_CASE("in memory, too, a result is stored with an id before its input is acknowledged") {
    const bool real = GENERATE(false, true);
    LogLines log;
    Broker broker{{.logger = log.logger()}};
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">().handle([](const std::string& body) {
        return body + "!";
    });
    int next = 0;
    broker.subscriber<"valid.*">(js::Pull{.stream = valid, .durable = "next"}).handle([&] { ++next; });
    const auto test = test_of(broker, real);
    CHECK(test->publish("orders.1", "one") == Outcome::ack);
    CHECK(next == 1);
    const auto stored = broker.jetstream().stream("VALID").messages();
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].text() == "one!");
    CHECK(stored[0].header("Nats-Msg-Id").value_or("").starts_with("ORDERS.worker.1."));
    CHECK(test->published<std::string>("valid.1").at(0) == "one!");
    CHECK(log.find("no stream stores") == "");
}

TEST_CASE("in memory, a result that is not confirmed fails its message, which is retried and stored once") {
    LogLines log;
    Broker broker{{.logger = log.logger()}};
    int calls = 0;
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">().handle([&](const std::string& body) {
        ++calls;
        return body;
    });
    auto small = valid;
    small.max_msgs = 1;
    small.discard = js::Discard::incoming;
    broker.subscriber<"valid.*">(js::Pull{.stream = small, .durable = "next"}).handle([] {});
    TestBroker test{broker};
    CHECK(test.publish("orders.1", "one") == Outcome::ack);
    CHECK(test.publish("orders.2", "two") == Outcome::nack());
    CHECK(calls == 2);
    CHECK(log.find("handler failed: publish to \"valid.2\"") != "");
    broker.jetstream().stream("VALID").purge();
    test.advance(5s);
    CHECK(calls == 3);
    const auto stored = broker.jetstream().stream("VALID").messages();
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].text() == "two");
    CHECK(broker.jetstream().consumer("ORDERS", "worker").info().ack_pending == 0);
}

TEST_CASE("in memory, a message that comes again stores nothing twice, in batches neither") {
    const bool atomic = GENERATE(false, true);
    Broker broker;
    int calls = 0;
    auto options = pull();
    options.batch = {.size = 2, .within = 100ms};
    broker.subscriber<"orders.*">(options).handle([&](std::span<const std::string> batch, Context& context) {
        for (std::size_t i = 0; i < batch.size(); ++i) context.publish(context.items()[i], "valid.all", batch[i]);
        if (++calls == 1) context.nack();
    });
    TestBroker test{broker};
    auto stream = valid;
    if (atomic) stream.allow_atomic = true;
    broker.jetstream().declare(stream);
    for (const auto* body : {"1", "2", "3"}) test.publish("orders.1", body);
    test.advance(10s);
    CHECK(calls >= 3);
    CHECK(broker.jetstream().stream("VALID").info().state.messages == 3);
    CHECK(broker.jetstream().consumer("ORDERS", "worker").info().ack_pending == 0);
}

TEST_CASE("in memory, the start warns of a subject that nobody stores, and refuses it if it must be stored") {
    LogLines log;
    Broker broker{{.logger = log.logger()}};
    const bool required = GENERATE(false, true);
    PublishToOptions options;
    if (required) options.confirm = true;
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">(options).handle([](const std::string& body) {
        return body;
    });
    if (required) {
        CHECK_THROWS_AS(TestBroker{broker}, Error);
        return;
    }
    TestBroker test{broker};
    CHECK(log.find("no stream stores \"valid.*\"") != "");
    CHECK(test.publish("orders.1", "one") == Outcome::ack);
    CHECK(test.published<std::string>("valid.1").at(0) == "one");
}
