// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/log_lines.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;
using freshet::testing::Seen;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream in_memory{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

struct OrderedFixture {
    OrderedFixture() { other.start(); }
    BrokerOptions options() const {
        return {.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}};
    }
    BrokerOptions logged() const {
        auto with_log = options();
        with_log.logger = log.logger();
        return with_log;
    }
    void publish(int from, int to) {
        for (int i = from; i <= to; ++i)
            REQUIRE(eventually([&] {
                return other.jetstream().try_publish("orders.eu", std::to_string(i)).has_value();
            }));
    }
    static std::vector<std::string> numbers(int from, int to) {
        std::vector<std::string> texts;
        for (int i = from; i <= to; ++i) texts.push_back(std::to_string(i));
        return texts;
    }

    NatsServer server{{.jetstream = true}};
    LogLines log;
    Broker other{options()};
    Broker broker{logged()};
    Seen seen;
};

js::Ordered ordered(std::size_t prefetch = 512) {
    return {.stream = "ORDERS", .prefetch = prefetch, .heartbeat = 300ms};
}

}  // namespace

TEST_CASE_METHOD(OrderedFixture, "an ordered subscriber reads a stream in order, more of it than it takes at once") {
    other.jetstream().declare(orders);
    publish(1, 100);
    broker.subscriber<"orders.*">(ordered(8)).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    publish(101, 120);
    REQUIRE(seen.wait_for(120));
    CHECK(seen.all() == numbers(1, 120));
}

TEST_CASE_METHOD(OrderedFixture, "a failed message is not delivered again, and the next one comes") {
    other.jetstream().declare(orders);
    publish(1, 3);
    broker.subscriber<"orders.*">(ordered()).handle([&](std::string_view body) {
        seen.add(std::string{body});
        throw Nack{};
    });
    broker.start();
    publish(4, 4);
    REQUIRE(seen.wait_for(4));
    CHECK(seen.all() == numbers(1, 4));
}

TEST_CASE_METHOD(OrderedFixture, "an ordered subscriber begins where it is told") {
    other.jetstream().declare(orders);
    publish(1, 5);
    auto options = ordered();
    options.deliver = js::Deliver::from_sequence;
    options.start_sequence = 4;
    broker.subscriber<"orders.*">(options).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    REQUIRE(seen.wait_for(2));
    CHECK(seen.all() == numbers(4, 5));
}

TEST_CASE_METHOD(OrderedFixture, "an ordered subscriber begins with the last, the last of each subject, or at a time") {
    other.jetstream().declare(in_memory);
    const auto store = [&](std::string_view subject, const std::string& body) {
        other.jetstream().publish(subject, body);
    };
    store("orders.eu", "1");
    store("orders.us", "2");
    store("orders.eu", "3");
    store("orders.us", "4");
    const auto time = other.jetstream().stream("ORDERS").message(4).time();
    store("orders.us", "5");
    const auto [deliver, texts] =
        GENERATE(table<js::Deliver, std::vector<std::string>>({{js::Deliver::all, {"1", "2", "3", "4", "5", "6"}},
                                                               {js::Deliver::last, {"5", "6"}},
                                                               {js::Deliver::last_per_subject, {"3", "5", "6"}},
                                                               {js::Deliver::from_time, {"4", "5", "6"}},
                                                               {js::Deliver::fresh, {"6"}}}));
    auto options = ordered();
    options.deliver = deliver;
    if (deliver == js::Deliver::from_time) options.start_time = time;
    broker.subscriber<"orders.*">(options).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    store("orders.eu", "6");
    CHECK(seen.wait_for(texts.size()));
    CHECK(seen.all() == texts);
}

TEST_CASE_METHOD(OrderedFixture, "an ordered subscriber takes headers alone, and several subjects") {
    other.jetstream().declare(in_memory);
    auto options = ordered();
    options.filter_subjects = {"orders.eu", "orders.us"};
    options.headers_only = true;
    broker.subscriber<"orders.*">(options).handle([&](const Message& message) {
        seen.add(std::string{message.subject()} + ' ' + std::string{message.text()} +
                 std::string{message.header("Nats-Msg-Size").value_or("?")});
    });
    for (const auto* subject : {"orders.eu", "orders.asia"})
        other.jetstream().publish(subject, std::string_view{"12345"});
    broker.start();
    for (const auto* subject : {"orders.asia", "orders.us"})
        other.jetstream().publish(subject, std::string_view{"123"});
    CHECK(seen.wait_for(2));
    CHECK(seen.all() == std::vector<std::string>{"orders.eu 5", "orders.us 3"});
}

TEST_CASE_METHOD(OrderedFixture, "an ordered consumer that is deleted goes on where it was, nothing twice") {
    other.jetstream().declare(orders);
    broker.subscriber<"orders.*">(ordered()).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    publish(1, 5);
    REQUIRE(seen.wait_for(5));
    for (const auto& info : other.jetstream().consumers("ORDERS"))
        other.jetstream().consumer("ORDERS", info.name).remove();
    publish(6, 10);
    REQUIRE(seen.wait_for(10));
    CHECK(seen.all() == numbers(1, 10));
}

TEST_CASE_METHOD(OrderedFixture,
                 "a gap that a heartbeat tells of is closed: the consumer is made anew, nothing twice") {
    other.jetstream().declare(orders);
    Seen inboxes;
    other.subscriber<"$JS.API.CONSUMER.MSG.NEXT.ORDERS.*">({.no_reply = true}).handle([&](const Message& request) {
        inboxes.add(std::string{request.reply_to()});
    });
    broker.subscriber<"orders.*">(ordered()).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    publish(1, 5);
    REQUIRE(seen.wait_for(5));
    REQUIRE(inboxes.wait_for(1));
    const auto consumers = [&] { return other.jetstream().consumers("ORDERS"); };
    const auto before = consumers().at(0).name;
    // As the server would say it after a delivery that got lost.
    other.publish(inboxes.all().back(), "",
                  {.headers = {{"Status", "100"}, {"Description", "Idle Heartbeat"}, {"Nats-Last-Consumer", "6"}}});
    CHECK_FALSE(log.wait_for("has a gap after message 5").empty());
    CHECK(eventually([&] {
        const auto now = consumers();  // asked once: the next time there may be none
        return now.size() == 1 && now.at(0).name != before;
    }));
    publish(6, 10);
    REQUIRE(seen.wait_for(10));
    CHECK(seen.all() == numbers(1, 10));
}

TEST_CASE_METHOD(OrderedFixture, "an ordered subscriber goes on over restarts of the server, nothing twice") {
    other.jetstream().declare(orders);
    broker.subscriber<"orders.*">(ordered()).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    for (int round = 0; round < 3; ++round) {
        publish(round * 5 + 1, round * 5 + 5);
        REQUIRE(seen.wait_for(static_cast<std::size_t>(round) * 5 + 5));
        if (round == 0) server.kill();
        if (round < 2) server.restart();
    }
    CHECK(seen.all() == numbers(1, 15));
}

TEST_CASE_METHOD(OrderedFixture, "a stream made anew is read from its beginning") {
    other.jetstream().declare(in_memory);
    broker.subscriber<"orders.*">(ordered()).handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    publish(1, 3);
    REQUIRE(seen.wait_for(3));
    server.restart();
    REQUIRE(eventually([&] { return other.jetstream().try_declare(in_memory).has_value(); }));
    publish(4, 5);
    REQUIRE(seen.wait_for(5));
    CHECK(seen.all() == numbers(1, 5));
}

TEST_CASE("a delivery that got lost is read again: the ordered consumer is made anew, nothing twice") {
    Broker broker;
    std::vector<std::string> bodies;
    broker.subscriber<"orders.*">(js::Ordered{.stream = js::Stream{.name = "ORDERS", .subjects = {"orders.*"}}})
        .handle([&](std::string_view body) { bodies.emplace_back(body); });
    testing::TestBroker test{broker};
    for (int i = 1; i <= 6; ++i) {
        if (i == 3) test.lose_next("orders.>");
        test.publish("orders.eu", std::to_string(i));
    }
    test.advance(5s);
    CHECK(bodies == OrderedFixture::numbers(1, 6));
}
