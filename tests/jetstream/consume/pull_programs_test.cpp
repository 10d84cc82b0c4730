// SPDX-License-Identifier: Apache-2.0
// Consumers in programs without handlers.
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::PullFixture;

TEST_CASE_METHOD(PullFixture, "programs that are not services fetch, ask for one, and iterate") {
    consumer().declare({.ack_wait = 30s});
    CHECK(consumer().fetch({.messages = 3, .within = 0ms}).empty());
    CHECK_FALSE(consumer().next(100ms));
    publish(4);
    auto one = consumer().next();
    REQUIRE(one);
    CHECK(one->message().text() == "1");
    one->ack_sync();
    CHECK(consumer().info().ack_floor_stream_sequence == 1);

    const auto three = consumer().fetch({.messages = 3});
    REQUIRE(three.size() == 3);
    three[1].term();
    three[2].in_progress();
    three[2].ack_sync();
    three[0].nack();
    const auto again = consumer().next();
    REQUIRE(again);
    CHECK(again->message().text() == "2");
    CHECK(again->message().metadata()->deliveries == 2);
    again->ack();
    for (const auto* body : {"5", "6", "7", "8", "9"}) publish(body);

    std::string rest;
    auto messages = consumer().messages({.prefetch = 2});
    for (auto& delivery : messages) {
        rest += delivery->text();
        delivery.ack();
        if (delivery->text() == "8") break;
    }
    CHECK(rest == "5678");
    messages.stop();
    CHECK_FALSE(messages.next(1s));
    const auto last = consumer().next(5s);  // was taken ahead, and given back
    REQUIRE(last);
    CHECK(last->message().text() == "9");
}

TEST_CASE_METHOD(PullFixture,
                 "a fetch or an iteration from no consumer fails at once, and a fetch of too many bytes says so") {
    const auto missing = consumer("nobody").try_fetch({.messages = 1, .within = 10s});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code() == Errc::consumer_not_found);
    CHECK_THAT(missing.error().what(), ContainsSubstring("consumer \"nobody\" of stream \"ORDERS\""));
    CHECK(consumer("nobody").try_messages().error().code() == Errc::consumer_not_found);
    CHECK(consumer("no name").try_messages().error().code() == consumer("no name").try_fetch({}).error().code());
    consumer().declare({});
    CHECK_FALSE(consumer().try_messages()->next(0ms));
    publish(std::string(1'000, 'x'));
    const auto large = consumer().try_fetch({.messages = 10, .bytes = 100});
    REQUIRE_FALSE(large);
    CHECK_THAT(large.error().what(), ContainsSubstring("Message Size Exceeds MaxBytes"));
}
