// SPDX-License-Identifier: Apache-2.0
// Loops of programs that are not services: messages() that drains, and ordered().
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../testing/both.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using freshet::testing::Both;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

void publish(const js::JetStream& js, int first, int last) {
    auto publisher = js.async_publisher();
    for (int i = first; i <= last; ++i) publisher.publish("orders." + std::to_string(i % 2), std::to_string(i));
    publisher.flush(30s);
}

int number_of(const Message& message) { return std::stoi(std::string{message.text()}); }

}  // namespace

TEST_CASE_METHOD(Both, "a loop over messages() that drains takes what is in hand, and ends") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({.ack_wait = 60s});
    publish(js, 1, 500);
    int handed = 0;
    auto messages = worker.messages({.prefetch = 64});
    for (auto& delivery : messages) {
        REQUIRE(number_of(delivery.message()) == ++handed);
        delivery.ack_sync();
        if (handed == 10) messages.drain();
    }
    CHECK(handed >= 10);
    CHECK(handed < 500);
    const auto info = worker.info();
    CHECK(info.ack_pending == 0);
    CHECK(info.pending == static_cast<std::uint64_t>(500 - handed));
    CHECK_FALSE(messages.next(1min));  // it has ended
    // The next program goes on behind it, and gets nothing for the second time.
    for (auto& delivery : worker.messages()) {
        REQUIRE(number_of(delivery.message()) == ++handed);
        REQUIRE(delivery->metadata()->deliveries == 1);
        delivery.ack();
        if (delivery->metadata()->pending == 0) break;
    }
    CHECK(handed == 500);
}

TEST_CASE_METHOD(JetStreamFixture, "another thread ends loops that wait for messages") {
    const auto js = started();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({});
    auto messages = worker.messages();
    auto ordered = js.ordered({.stream = "ORDERS"});
    std::atomic<int> ended = 0;
    std::jthread first{[&] {
        for (auto& delivery : messages) delivery.ack();
        ++ended;
    }};
    std::jthread second{[&] {
        for ([[maybe_unused]] const auto& message : ordered) {}
        ++ended;
    }};
    publish(js, 1, 1);
    CHECK(eventually([&] { return worker.info().ack_pending + worker.info().pending == 0; }));
    messages.drain();
    CHECK(eventually([&] { return ended == 1; }));
    ordered.drain();
    CHECK(eventually([&] { return ended == 2; }));
}

TEST_CASE_METHOD(Both, "what a draining loop has in hand is not delivered again, however slow the loop is") {
    auto& test = start();
    const auto js = broker.jetstream();
    js.declare(orders);
    const auto worker = js.consumer("ORDERS", "worker");
    worker.declare({.ack_wait = 1s});
    publish(js, 1, 8);
    auto messages = worker.messages();
    int handed = 0;
    for (auto& delivery : messages) {
        if (handed == 0) messages.drain();
        REQUIRE(number_of(delivery.message()) == ++handed);
        REQUIRE(delivery->metadata()->deliveries == 1);
        test.advance(400ms);
        delivery.ack_sync();
    }
    CHECK(worker.info().ack_pending == 0);
    CHECK(worker.info().pending == static_cast<std::uint64_t>(8 - handed));
}

TEST_CASE_METHOD(Both, "ordered() reads a stream in its order, and waits for what is stored later") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    publish(js, 1, 2'000);
    auto messages = js.ordered({.stream = "ORDERS", .prefetch = 50});
    for (int i = 1; i <= 2'000; ++i) {
        const auto message = messages.next(20s);
        REQUIRE(message);
        REQUIRE(number_of(*message) == i);
        REQUIRE(message->metadata()->pending == static_cast<std::uint64_t>(2'000 - i));
    }
    CHECK_FALSE(messages.next(50ms));
    js.publish("orders.1", "2001");
    const auto later = messages.next(20s);
    REQUIRE(later);
    CHECK(number_of(*later) == 2'001);
    messages.stop();
    CHECK_FALSE(messages.next(1min));
    CHECK(pass_until([&] { return js.consumers("ORDERS").empty(); }));
}

TEST_CASE_METHOD(Both, "an ordered() loop that drains takes no more") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    publish(js, 1, 1'000);
    int handed = 0;
    auto messages = js.ordered({.stream = "ORDERS", .prefetch = 20});
    for (const auto& message : messages) {
        REQUIRE(number_of(message) == ++handed);
        if (handed == 5) messages.drain();
    }
    CHECK(handed >= 5);
    CHECK(handed <= 100);
}

TEST_CASE_METHOD(Both,
                 "ordered() begins where it is told, with the subjects that it is told, and declares the stream") {
    start();
    const auto js = broker.jetstream();
    auto messages = js.ordered({.stream = orders,
                                .deliver = js::Deliver::from_sequence,
                                .start_sequence = 4,
                                .filter_subjects = {"orders.1"}});
    publish(js, 1, 9);
    std::vector<int> seen;
    while (seen.size() < 3) {
        const auto message = messages.next(20s);
        REQUIRE(message);
        seen.push_back(number_of(*message));
    }
    CHECK(seen == std::vector{5, 7, 9});
}

TEST_CASE_METHOD(JetStreamFixture, "an ordered() loop goes on where it was when the server comes back") {
    const auto js = started();
    js.declare(orders);
    publish(js, 1, 300);
    int handed = 0;
    auto messages = js.ordered({.stream = "ORDERS", .prefetch = 10});
    for (const auto& message : messages) {
        REQUIRE(number_of(message) == ++handed);
        if (handed == 100) {
            server.stop();
            server.restart();
        }
        if (handed == 300) messages.drain();
    }
    CHECK(handed == 300);
}

TEST_CASE_METHOD(Both, "ordered() throws when the stream is gone, and goes on when it is made anew") {
    start();
    const auto js = broker.jetstream();
    js.declare(orders);
    auto messages = js.ordered({.stream = "ORDERS", .heartbeat = 500ms});
    js.stream("ORDERS").remove();
    bool gone = false;
    CHECK(pass_until([&] {
        try {
            std::ignore = messages.next(10ms);
        } catch (const Error& error) { gone = error.code() == Errc::stream_not_found; }
        return gone;
    }));
    js.declare(orders);
    publish(js, 1, 1);
    std::optional<Message> message;
    CHECK(pass_until([&] {
        try {
            if (!message) message = messages.next(10ms);
        } catch (const Error& error) { REQUIRE(error.code() == Errc::stream_not_found); }
        return message.has_value();
    }));
    REQUIRE(message);
    CHECK(number_of(*message) == 1);
    CHECK(js.stream("ORDERS").info().state.messages == 1);  // this thread may wait for answers as before
}

TEST_CASE_METHOD(Both, "ordered() refuses options that do not fit together, and a stream that is not there") {
    start();
    const auto js = broker.jetstream();
    CHECK(js.try_ordered({.stream = "NONE"}).error().code() == Errc::stream_not_found);
    const auto refused = [&](const js::Ordered& options) {
        return std::string{js.try_ordered(options).error().message()};
    };
    CHECK_THAT(refused({.stream = "ORDERS", .start_sequence = 4}), ContainsSubstring("Deliver::from_sequence"));
    CHECK_THAT(refused({.stream = "ORDERS", .filter_subjects = {"a..b"}}), ContainsSubstring("is not a subject"));
    CHECK_THAT(refused({.stream = "ORDERS", .prefetch = 0}), ContainsSubstring("prefetch is 0"));
}

TEST_CASE_METHOD(Both, "messages() of a subscriber of a stream is an error of the start, with the way to read it") {
    auto pulled = broker.subscriber<"orders.>">(js::Pull{.stream = orders, .durable = "w"}).messages();
    CHECK_THROWS_MATCHES(start(), Error, MessageMatches(ContainsSubstring("jetstream().ordered(...)")));
}
