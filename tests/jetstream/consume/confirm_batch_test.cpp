// SPDX-License-Identifier: Apache-2.0
// Handlers of batches: their publications are confirmed, together where the stream can, and duplicates are left out one
// by one.
#include <atomic>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/kv/deduplicate.hpp>
#include <freshet/middleware/deduplicate.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::PullFixture;
using freshet::testing::Seen;
using Texts = std::vector<std::string>;

namespace {

struct Fixture : PullFixture {
    static js::Pull pull() {
        return {.stream = "ORDERS",
                .durable = "worker",
                .retry = {.backoff = {10ms}},
                .batch = {.size = 10, .within = 200ms}};
    }
    void declare_valid(bool atomic) {
        js::Stream valid{.name = "VALID", .subjects = {"valid.>"}, .allow_direct = true};
        if (atomic) valid.allow_atomic = true;
        other.jetstream().declare(valid);
    }
    /// Declares a stream that refuses what comes until it is purged.
    void declare_full() {
        other.jetstream().declare({.name = "VALID",
                                   .subjects = {"valid.>"},
                                   .max_msgs = 1,
                                   .discard = js::Discard::incoming,
                                   .allow_direct = true});
        other.jetstream().publish("valid.first", "first");
    }
    void purge() { other.jetstream().stream("VALID").purge(); }
    std::vector<js::StoredMessage> stored() { return other.jetstream().stream("VALID").messages(); }
    Texts texts() {
        Texts all;
        for (const auto& one : stored()) all.emplace_back(one.text());
        return all;
    }
    void publish_as(const std::string& id, const std::string& body) {
        Headers headers;
        headers.set("Order-Id", id);
        other.jetstream().publish("orders.eu", body, {.headers = headers});
    }
};

void publish_each(std::span<const std::string> batch, Context& context) {
    for (std::size_t i = 0; i < batch.size(); ++i)
        context.publish(context.items()[i], "valid." + batch[i], batch[i] + "!");
}

}  // namespace

TEST_CASE_METHOD(Fixture, "what a handler of batches publishes is stored together where the stream can") {
    const bool atomic = GENERATE(true, false);
    declare_valid(atomic);
    broker.subscriber<"orders.*">(pull()).handle(publish_each);
    publish(4);
    broker.start();
    REQUIRE(all_settled());
    CHECK(texts() == Texts{"1!", "2!", "3!", "4!"});
    const auto all = stored();
    const auto& first = all.at(0);
    CHECK(first.header("Nats-Batch-Id").has_value() == atomic);
    CHECK_THAT(std::string{first.header("Nats-Msg-Id").value_or("")},
               ContainsSubstring("ORDERS.worker.1.") && ContainsSubstring(".valid.1"));
}

TEST_CASE_METHOD(Fixture, "a batch that comes again, with others in it, stores nothing twice") {
    declare_valid(GENERATE(true, false));
    std::atomic<int> calls = 0;
    broker.subscriber<"orders.*">(pull()).handle([&](std::span<const std::string> batch, Context& context) {
        publish_each(batch, context);
        if (++calls == 1) throw std::runtime_error{"too early"};
    });
    publish(3);
    broker.start();
    REQUIRE(eventually([&] { return calls >= 1; }));
    publish("4");
    REQUIRE(all_settled());
    const auto all = texts();
    CHECK(std::multiset<std::string>(all.begin(), all.end()) == std::multiset<std::string>{"1!", "2!", "3!", "4!"});
}

TEST_CASE_METHOD(Fixture, "a batch whose publications are not stored comes again, whatever the handler said of it") {
    declare_full();
    Seen seen;
    broker.subscriber<"orders.*">(pull()).handle([&](std::span<const std::string> batch, Context& context) {
        context.publish("valid.sum", batch.size());
        context.items()[0].ack();
        context.ack();
        seen.add(std::to_string(batch.size()));
    });
    publish(2);
    broker.start();
    CHECK(log.wait_for("handler of 2 messages failed: publish to \"valid.sum\"") != "");
    CHECK(consumer().info().ack_floor_stream_sequence == 0);
    purge();
    REQUIRE(all_settled());
    CHECK(stored().at(0).subject() == "valid.sum");
}

TEST_CASE_METHOD(Fixture, "Deduplicate leaves out the messages of a batch that were handled before") {
    const bool shared = GENERATE(false, true);
    Seen seen;
    std::atomic<bool> failing = false;
    const auto handler = [&](std::span<const std::string> batch) {
        std::string all;
        for (const auto& one : batch) all += one;
        seen.add(all);
        if (failing) throw std::runtime_error{"not now"};
    };
    if (shared)
        broker.subscriber<"orders.*">(pull())
            .use(kv::Deduplicate{broker, "handled", {.header = "Order-Id"}})
            .handle(handler);
    else broker.subscriber<"orders.*">(pull()).use(Deduplicate{{.header = "Order-Id"}}).handle(handler);
    for (const auto* id : {"a", "b", "c"}) publish_as(id, id);
    broker.start();
    REQUIRE(seen.wait_for(1));
    REQUIRE(all_settled());
    CHECK(seen.all() == Texts{"abc"});
    for (const auto* id : {"b", "d", "a", "e"}) publish_as(id, id);
    publish("x");  // has no id
    REQUIRE(all_settled());
    REQUIRE(seen.count() == 2);
    CHECK(seen.all()[1] == "dex");
    publish_as("c", "c");  // nothing is left of this batch
    REQUIRE(all_settled());
    CHECK(seen.count() == 2);
    failing = true;
    publish_as("f", "f");
    REQUIRE(seen.wait_for(4));  // what failed was not handled
    failing = false;
    CHECK(all_settled());
    CHECK(seen.all().back() == "f");
}

TEST_CASE_METHOD(Fixture, "Deduplicate remembers a message once its result is confirmed, and not before") {
    declare_full();
    auto options = pull();
    options.batch = {};
    const bool shared = GENERATE(false, true);
    Seen seen;
    const auto handler = [&](const std::string& body) {
        seen.add(body);
        return body;
    };
    if (shared)
        broker.subscriber<"orders.*">(options)
            .use(kv::Deduplicate{broker, "handled", {.header = "Order-Id"}})
            .publish_to<"valid.all">()
            .handle(handler);
    else
        broker.subscriber<"orders.*">(options)
            .use(Deduplicate{{.header = "Order-Id"}})
            .publish_to<"valid.all">()
            .handle(handler);
    broker.start();
    publish_as("a", "a");
    REQUIRE(log.wait_for("handler failed: publish to \"valid.all\"") != "");
    purge();
    REQUIRE(all_settled());
    CHECK(texts() == Texts{"a"});
}
