// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <latch>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/log_lines.hpp"
#include "../../support/must.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;
using freshet::testing::Seen;

struct Measure {
    int value = 0;
};
FRESHET_JSON(Measure, value);

namespace {

const js::Stream measures{.name = "MEASURES", .subjects = {"measures.>"}};

struct BatchFixture {
    BatchFixture() {
        other.start();
        other.jetstream().declare(measures);
    }
    void publish(int from, int to) {
        for (int i = from; i <= to; ++i) other.jetstream().publish("measures.a", Measure{i});
    }
    js::ConsumerInfo info() { return other.jetstream().consumer("MEASURES", "batches").info(); }
    bool all_settled() {
        return eventually([&] { return info().ack_pending + info().pending == 0; });
    }

    NatsServer server{{.jetstream = true}};
    LogLines log;
    Broker other{{.servers = {server.url()}, .name = "other"}};
    Broker broker{{.servers = {server.url()}, .name = "tested", .logger = log.logger()}};
};

js::Pull pull(std::size_t size, std::chrono::milliseconds within) {
    return {.stream = "MEASURES",
            .durable = "batches",
            .retry = {.backoff = {10ms}},
            .batch = {.size = size, .within = within}};
}

std::string join(std::span<const Measure> batch) {
    std::string text;
    for (const auto& measure : batch) text += (text.empty() ? "" : " ") + std::to_string(measure.value);
    return text;
}

}  // namespace

TEST_CASE_METHOD(BatchFixture, "a batch is handled when it is full, or when its first message has waited") {
    Seen seen;
    broker.subscriber<"measures.*">(pull(4, 200ms)).handle([&](std::span<const Measure> batch) {
        seen.add(join(batch));
    });
    publish(1, 10);
    broker.start();
    REQUIRE(seen.wait_for(3));
    CHECK(seen.all() == std::vector<std::string>{"1 2 3 4", "5 6 7 8", "9 10"});
    CHECK(all_settled());
}

TEST_CASE_METHOD(BatchFixture,
                 "a batch that is not full waits for no longer than it is told, and one that is not at all") {
    Seen seen;
    broker.subscriber<"measures.*">(pull(2, 1h)).handle([&](std::span<const Measure> batch) { seen.add(join(batch)); });
    broker.start();
    publish(1, 3);
    REQUIRE(seen.wait_for(1));
    CHECK(seen.all() == std::vector<std::string>{"1 2"});
    publish(4, 4);
    CHECK(seen.wait_for(2));
    CHECK(seen.all().back() == "3 4");
}

TEST_CASE_METHOD(BatchFixture, "a batch that fails comes again as a whole; a handler may settle each message itself") {
    Seen seen;
    broker.subscriber<"measures.*">(pull(3, 200ms)).handle([&](std::span<const Measure> batch, Context& context) {
        seen.add(join(batch));
        if (seen.count() == 1) throw std::runtime_error{"not yet"};
        if (batch.size() < 3) return;
        context.items()[0].ack();
        context.items()[1].nack(10ms);
        context.items()[2].term("never");
        testing::must(context.items()[1].message().metadata()->deliveries == 2);
    });
    publish(1, 3);
    broker.start();
    REQUIRE(seen.wait_for(3));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"1 2 3", "1 2 3", "2"});
    CHECK(!log.find("handler of 3 messages failed: std::runtime_error: not yet").empty());
}

TEST_CASE_METHOD(BatchFixture, "what does not decode is taken out of its batch and settled") {
    Seen seen;
    auto options = pull(3, 200ms);
    options.ack_policy = AckPolicy::manual;
    broker.subscriber<"measures.*">(options).handle([&](std::span<const Measure> batch) -> Outcome {
        seen.add(join(batch));
        return Outcome::ack;
    });
    publish(1, 1);
    other.jetstream().publish("measures.a", std::string{"not JSON"});
    publish(3, 3);
    broker.start();
    REQUIRE(seen.wait_for(1));
    CHECK(all_settled());
    CHECK(seen.all() == std::vector<std::string>{"1 3"});
    CHECK(broker.stats().rejected == 1);
}

TEST_CASE_METHOD(BatchFixture, "several batches are handled at the same time, none of them with too much") {
    std::latch both{2};
    std::atomic<std::size_t> handled = 0;
    auto options = pull(5, 50ms);
    options.workers = 2;
    broker.subscriber<"measures.*">(options).handle([&](std::span<const Measure> batch) {
        if (handled == 0) both.arrive_and_wait();
        handled += batch.size();
        testing::must(batch.size() <= 5);
    });
    publish(1, 50);
    broker.start();
    CHECK(all_settled());
    CHECK(handled == 50);
}

TEST_CASE_METHOD(BatchFixture, "a stop gives back a batch that is not complete") {
    Seen seen;
    broker.subscriber<"measures.*">(pull(10, 1h)).handle([&](std::span<const Measure> batch) {
        seen.add(join(batch));
    });
    publish(1, 3);
    broker.start();
    REQUIRE(eventually([&] { return info().ack_pending == 3; }));
    CHECK(broker.stop());
    CHECK(seen.count() == 0);
    CHECK(other.jetstream().consumer("MEASURES", "batches").fetch({.messages = 3, .within = 2s}).size() == 3);
}

TEST_CASE_METHOD(BatchFixture, "a core subscriber may have batches, too") {
    Seen seen;
    broker.subscriber<"plain">({.batch = {.size = 3, .within = 1h}}).handle([&](std::span<const std::string> batch) {
        seen.add(batch[0] + batch[1] + batch[2]);
    });
    broker.start();
    for (const auto* body : {"a", "b", "c"}) other.publish("plain", body);
    CHECK(seen.wait_for(1));
    CHECK(seen.all() == std::vector<std::string>{"abc"});
}

TEST_CASE_METHOD(BatchFixture, "a batch without its options, and options without a batch, are reported by start") {
    broker.subscriber<"a">().handle([](std::span<const Measure>) {});
    broker.subscriber<"b">(pull(10, 1s)).handle([](const Measure&) {});
    broker.subscriber<"c">(pull(10, -1ms)).handle([](std::span<const Measure>) {});
    broker.subscriber<"d">(pull(10, 1s)).when(has_header("kind"), [](std::span<const Measure>) {}).handle([] {});
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK_THAT(error.what(), ContainsSubstring("subscriber \"a\": its handler takes a batch, and no size is set"));
        CHECK_THAT(error.what(), ContainsSubstring("subscriber \"b\": it has batch options, so its handler must take"));
        CHECK_THAT(error.what(), ContainsSubstring("subscriber \"c\": batch.within is -"));
        CHECK_THAT(error.what(), ContainsSubstring("subscriber \"d\": a handler of batches cannot be one of several"));
    }
}
