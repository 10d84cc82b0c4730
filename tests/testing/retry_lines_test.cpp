// SPDX-License-Identifier: Apache-2.0
// What is logged of the attempts at a message that a stream keeps, and what gives it up; in memory and on a
// nats-server.
#include <atomic>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/middleware/rate_limit.hpp>

#include "both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::StartsWith;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

struct Invalid : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Fixture : testing::Both {
    js::Retry retry(std::uint64_t most = 0) {
        return {.max_attempts = most, .backoff = {20ms}, .dead_letter = "dead.orders"};
    }
    js::Pull pull(std::uint64_t most = 0) { return {.stream = orders, .durable = "billing", .retry = retry(most)}; }
    testing::TestBroker& begin() {
        auto& test = start();
        broker.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
        return test;
    }
    std::size_t lines_with(std::string_view text) const {
        std::size_t count = 0;
        for (const auto& line : log.all()) count += line.find(text) != std::string::npos ? 1 : 0;
        return count;
    }
    std::uint64_t dead() { return broker.jetstream().stream("DEAD").info().state.messages; }
    bool settled() {
        return pass_until([&] {
            const auto info = broker.jetstream().consumer("ORDERS", "billing").info();
            return info.ack_pending + info.pending == 0;
        });
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "one line for each attempt, and one that says where the dead letter is") {
    const bool push = GENERATE(false, true);
    const auto fails = [](std::string_view) { throw std::runtime_error{"no disk"}; };
    if (push)
        broker.subscriber<"orders.{id}">(js::Push{.stream = orders, .durable = "billing", .retry = retry(2)})
            .handle(fails);
    else broker.subscriber<"orders.{id}">(pull(2)).handle(fails);
    auto& test = begin();
    test.publish("orders.7", "x");
    REQUIRE(pass_until([&] { return lines_with("is given up") == 1; }));
    CHECK(settled());
    CHECK(lines_with("error: handler failed: std::runtime_error: no disk; attempt 1 of 2, again in 20 ms "
                     "handler=orders.{id} subject=orders.7 ") == 1);
    CHECK(lines_with("error: handler failed: std::runtime_error: no disk; attempt 2 of 2, given up handler=") == 1);
    CHECK(lines_with("handler failed") == 2);
    CHECK_THAT(log.find("is given up"),
               StartsWith("error: ") &&
                   ContainsSubstring("message 1 on \"orders.7\" is given up after 2 deliveries, and "
                                     "its dead letter is message 1 of stream \"DEAD\": no disk"));
}

TEST_CASE_METHOD(Fixture, "an answer of 400 to 499 gives the message up at once") {
    broker.on_error<Invalid>(422);
    std::atomic<int> calls = 0;
    broker.subscriber<"orders.{id}">(pull(5)).handle([&](std::string_view body) {
        ++calls;
        if (body == "mapped") throw Invalid{"no amount"};
        throw RemoteError{404, "no such customer"};
    });
    auto& test = begin();
    test.publish("orders.7", "x");
    test.publish("orders.7", "mapped");
    REQUIRE(pass_until([&] { return lines_with("is given up") == 2; }));
    CHECK(settled());
    CHECK(calls == 2);
    CHECK(dead() == 2);
    CHECK(lines_with("info: declined with 404: no such customer; given up handler=orders.{id} subject=orders.7") == 1);
    CHECK(log.find("declined with 422").find("Invalid: no amount; given up") != std::string::npos);
    CHECK_THAT(log.find("is given up"), StartsWith("info: ") && ContainsSubstring("is given up after 1 delivery, and"));
    CHECK(lines_with("error: ") == 0);
    CHECK(broker.stats().declined == 2);
    CHECK(broker.stats().failed == 0);
    const auto letters = test.published("dead.orders");
    CHECK(letters.at(0).headers.get("Dead-Letter-Reason") == "no such customer");
    CHECK(test.deliveries().at(0).outcome == Outcome::term());
}

TEST_CASE_METHOD(Fixture, "an answer that says later is tried again; errors of others are failures") {
    std::atomic<int> calls = 0;
    broker.subscriber<"orders.{id}">(pull()).handle([&](std::string_view) {
        if (++calls == 1) throw RemoteError{429, "too many"};
        if (calls == 2) raise(Error{Errc::not_found, "no key"});
    });
    auto& test = begin();
    test.publish("orders.7", "x");
    REQUIRE(pass_until([&] { return calls == 3; }));
    CHECK(settled());
    CHECK(dead() == 0);
    CHECK(lines_with("info: declined with 429: too many; attempt 1, again in 20 ms") == 1);
    CHECK(lines_with("error: handler failed: no key; attempt 2, again in 20 ms") == 1);
}

TEST_CASE_METHOD(Fixture, "the ack policy counts for answers of 400 to 499, too") {
    const auto policy = GENERATE(AckPolicy::ack, AckPolicy::ack_first);
    auto source = pull();
    source.ack_policy = policy;
    broker.subscriber<"orders.{id}">(source).handle([](std::string_view) { throw RemoteError{404, "none"}; });
    auto& test = begin();
    test.publish("orders.7", "x");
    REQUIRE(pass_until([&] { return lines_with("declined with 404: none; acknowledged all the same") == 1; }));
    CHECK(settled());
    CHECK(dead() == 0);
    CHECK(lines_with("is given up") == 0);
}

TEST_CASE_METHOD(Fixture, "a batch: one line for all, one for each message that decided otherwise") {
    auto source = pull(1);
    source.batch = {.size = 3, .within = 10s};
    broker.subscriber<"orders.{id}">(source).handle([](std::span<const std::string>, Context& context) {
        context.items()[0].term("the first");
        throw std::runtime_error{"no disk"};
    });
    auto& test = begin();
    for (int i = 0; i < 3; ++i) test.client().publish("orders.7", "x");
    REQUIRE(pass_until([&] { return lines_with("is given up") == 3; }));
    CHECK(settled());
    CHECK(lines_with("error: handler of 3 messages failed: std::runtime_error: no disk; attempt 1 of 1, given up") ==
          1);
    CHECK(lines_with("error: handler failed: the handler said term: the first; attempt 1 of 1, given up") == 1);
    CHECK(dead() == 3);
}

TEST_CASE_METHOD(Fixture, "ordered subscribers and watches: a line without attempts, at info for an answer") {
    broker.subscriber<"orders.{id}">(js::Ordered{.stream = orders}).handle([](std::string_view body) {
        if (body == "x") throw RemoteError{404, "none"};
        throw std::runtime_error{"no"};
    });
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags"}).handle([](const kv::Entry<std::string>&) {
        throw std::runtime_error{"no flag"};
    });
    auto& test = begin();
    test.publish("orders.7", "x");
    test.publish("orders.7", "y");
    broker.kv<std::string>("flags").put("ui.dark", "on");
    REQUIRE(pass_until([&] { return lines_with("no flag") == 1; }));
    REQUIRE(pass_until([&] { return broker.stats().received == 3; }));
    CHECK(lines_with("info: declined with 404: none handler=orders.{id} subject=orders.7") == 1);
    CHECK(lines_with("error: handler failed: std::runtime_error: no handler=orders.{id} subject=orders.7") == 1);
    CHECK(lines_with("attempt") == 0);
    CHECK(lines_with("a request got no answer") == 0);
}
