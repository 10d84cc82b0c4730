// SPDX-License-Identifier: Apache-2.0
// Batch::isolate: the messages of a failed batch come one by one. In memory, and the same over nats-server.
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::Both;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream dead{.name = "DEAD", .subjects = {"dead.>"}};
const js::Stream copies{.name = "COPIES", .subjects = {"copies.>"}, .allow_direct = true};

/// What the handler was called with, each call as its bodies with "+" between.
struct Fixture : Both {
    using Texts = std::vector<std::string>;

    static std::string joined(std::span<const std::string> batch) {
        std::string text;
        for (const auto& one : batch) text += (text.empty() ? "" : "+") + one;
        return text;
    }
    static js::Pull pull() {
        return {.stream = orders,
                .durable = "worker",
                .retry = {.max_attempts = 1, .dead_letter = "dead.orders", .dead_letter_stream = dead},
                .batch = {.size = 3, .within = 1h, .isolate = true}};
    }
    void publish_three() {
        for (const auto* body : {"a", "bad", "c"}) broker.jetstream().publish("orders.x", std::string{body});
    }
    bool settled() {
        return pass_until([&] {
            const auto info = broker.jetstream().consumer("ORDERS", "worker").info();
            return info.pending + info.ack_pending == 0;
        });
    }
    Texts letters() {
        Texts all;
        for (const auto& letter : js::DeadLetters{broker, "DEAD"}.list())
            all.push_back(std::string{letter.text()} + ": " + std::string{letter.reason()});
        return all;
    }

    Texts calls = {};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "one bad message of a batch does not condemn its neighbours") {
    auto subscriber = broker.subscriber<"orders.>">(pull()).handle([&](std::span<const std::string> batch) {
        calls.push_back(joined(batch));
        if (calls.back().contains("bad")) throw std::runtime_error{"bad one"};
    });
    start();
    publish_three();
    REQUIRE(settled());
    CHECK(calls == Texts{"a+bad+c", "a", "bad", "c"});
    CHECK(letters() == Texts{"bad: bad one"});
    CHECK(subscriber.stats().received == 3);
    CHECK(subscriber.stats().failed == 1);
    CHECK_THAT(log.find("one by one"), ContainsSubstring("handler of 3 messages failed") && ContainsSubstring("warn"));
    CHECK(log.find("handler of 1 message failed").starts_with("error: "));
}

TEST_CASE_METHOD(Fixture, "a batch of core messages that failed comes one by one, too") {
    broker.subscriber<"news">({.batch = {.size = 3, .within = 1h, .isolate = true}})
        .handle([&](std::span<const std::string> batch) -> Expected<void> {
            calls.push_back(joined(batch));
            if (calls.back().contains("bad")) return failure(Errc::remote, "bad one");
            return {};
        });
    auto& test = start();
    for (const auto* body : {"a", "bad", "c"}) test.client().publish("news", std::string{body});
    REQUIRE(pass_until([&] { return calls.size() == 4; }));
    CHECK(calls == Texts{"a+bad+c", "a", "bad", "c"});
}

TEST_CASE_METHOD(Fixture, "what the handler decided about a message stays, and an outcome for all is no failure") {
    SECTION("items") {
        broker.subscriber<"orders.>">(pull()).handle([&](std::span<const std::string> batch, Context& context) {
            calls.push_back(joined(batch));
            for (std::size_t i = 0; i < batch.size(); ++i)
                if (batch[i] == "bad") context.items()[i].term("known to be bad");
            if (batch.size() > 1) throw std::runtime_error{"later"};
        });
        start();
        publish_three();
        REQUIRE(settled());
        CHECK(calls == Texts{"a+bad+c", "a", "c"});
        CHECK(letters() == Texts{"bad: known to be bad"});
    }
    SECTION("the whole batch") {
        broker.subscriber<"orders.>">(pull()).handle([&](std::span<const std::string> batch) {
            calls.push_back(joined(batch));
            return Outcome::term("all of them");
        });
        start();
        publish_three();
        REQUIRE(settled());
        CHECK(calls == Texts{"a+bad+c"});
        CHECK(letters().size() == 3);
    }
}

TEST_CASE_METHOD(Fixture, "a failed batch publishes nothing: its messages do, one by one") {
    broker.subscriber<"orders.>">(pull()).handle([&](std::span<const std::string> batch, Context& context) {
        calls.push_back(joined(batch));
        for (const auto& one : batch) {
            if (one == "bad") throw std::runtime_error{"bad one"};
            context.publish("copies.x", one);  // has the id of the whole batch
        }
    });
    broker.subscriber<"copies.>">(js::Pull{.stream = copies, .durable = "copier", .retry = {.max_attempts = 1}})
        .handle([](const Message&) {});
    start();
    publish_three();
    REQUIRE(settled());
    Texts stored;
    for (const auto& copy : broker.jetstream().stream("COPIES").messages()) stored.emplace_back(copy.text());
    CHECK(stored == Texts{"a", "c"});
}

TEST_CASE_METHOD(Both, "isolate is for handlers of batches") {
    broker.subscriber<"news">({.batch = {.isolate = true}}).handle([](const std::string&) {});
    CHECK_THROWS_WITH(start(), ContainsSubstring("its handler must take std::span<const T>"));
}
