// SPDX-License-Identifier: Apache-2.0
// The publications of a stored message's handler are confirmed before the message is acknowledged.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/pull_fixture.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using freshet::testing::eventually;
using freshet::testing::orders;
using freshet::testing::PullFixture;
using freshet::testing::Seen;

namespace {

const js::Stream valid{.name = "VALID", .subjects = {"valid.>"}, .allow_direct = true};

struct Fixture : PullFixture {
    js::Pull pull(const std::string& durable = "worker") const {
        return {.stream = "ORDERS", .durable = durable, .retry = {.backoff = {10ms}}};
    }
    std::vector<js::StoredMessage> stored(const std::string& stream = "VALID") {
        return other.jetstream().stream(stream).messages();
    }
    std::uint64_t count(const std::string& stream = "VALID") {
        return other.jetstream().stream(stream).info().state.messages;
    }
    bool comes(std::uint64_t messages, const std::string& stream = "VALID") {
        return eventually([&] { return count(stream) >= messages; });
    }
    std::string id_of(std::size_t index) {
        return std::string{stored().at(index).header("Nats-Msg-Id").value_or("none")};
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a result is stored with an id of its input, and then the input is acknowledged") {
    other.jetstream().declare(valid);
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">().handle([](const std::string& body) {
        return body + "!";
    });
    broker.start();
    for (int i = 1; i <= 50; ++i) publish(std::to_string(i), "orders." + std::to_string(i));
    REQUIRE(all_settled());
    REQUIRE(count() == 50);
    CHECK(stored()[0].text() == "1!");
    CHECK_THAT(id_of(0), ContainsSubstring("ORDERS.worker.1.") && ContainsSubstring(".valid.1"));
    std::set<std::string> ids;
    for (std::size_t i = 0; i < 50; ++i) ids.insert(id_of(i));
    CHECK(ids.size() == 50);
    CHECK(log.find("no stream stores") == "");
}

TEST_CASE_METHOD(Fixture, "a result that no stream stores at that moment keeps its input until one does") {
    other.jetstream().declare(valid);
    Seen seen;
    broker.subscriber<"orders.*">(pull()).publish_to<"valid.all">().handle([&](const std::string& body) {
        seen.add(body);
        return body;
    });
    broker.start();
    other.jetstream().stream("VALID").remove();
    publish("1");
    REQUIRE(seen.wait_for(1));
    broker.ping(5s);  // the server has whatever the broker has sent
    CHECK(consumer().info().ack_pending == 1);
    other.jetstream().declare(valid);
    CHECK(comes(1));
    CHECK(all_settled());
    CHECK(count() == 1);
}

TEST_CASE_METHOD(Fixture, "a result that a full stream refuses makes its input come again, at last as a dead letter") {
    other.jetstream().declare(
        {.name = "VALID", .subjects = {"valid.>"}, .max_msgs = 1, .discard = js::Discard::incoming});
    other.jetstream().declare({.name = "DEAD", .subjects = {"dead"}, .allow_direct = true});
    auto options = pull();
    options.retry.max_attempts = 2;
    options.retry.dead_letter = "dead";
    broker.subscriber<"orders.*">(options).publish_to<"valid.all">().handle([](const std::string& body) {
        return body;
    });
    broker.start();
    publish(2);
    REQUIRE(comes(1, "DEAD"));
    CHECK(all_settled());
    CHECK(count() == 1);
    CHECK(log.find("handler failed: publish to \"valid.all\"") != "");
    const auto letters = stored("DEAD");
    const auto& letter = letters.at(0);
    CHECK_THAT(std::string{letter.header("Dead-Letter-Reason").value_or("")},
               ContainsSubstring("publish to \"valid.all\""));
}

TEST_CASE_METHOD(Fixture, "a message that comes again stores nothing twice") {
    other.jetstream().declare(valid);
    Seen seen;
    broker.subscriber<"orders.*">(pull()).publish_to<"valid.result">().publish_to<"valid.copy">().handle(
        [&](const Message& message, Context& context) {
            seen.add(testing::deliveries(message));
            context.publish("valid.step", 1);
            context.publish("valid.step", 2);  // the second one is another message
            context.publish("valid.named", 3, {.headers = {{"Nats-Msg-Id", "mine"}}});
            if (message.metadata()->deliveries < 3) context.nack(10ms);
            return std::string{"done"};
        });
    broker.start();
    publish(1);
    REQUIRE(seen.wait_for(3));
    CHECK(all_settled());
    CHECK(count() == 5);
    std::multiset<std::string> subjects;
    for (const auto& one : stored()) subjects.insert(std::string{one.subject()});
    CHECK(subjects ==
          std::multiset<std::string>{"valid.copy", "valid.named", "valid.result", "valid.step", "valid.step"});
}

TEST_CASE_METHOD(Fixture, "two consumers of one message store their results side by side") {
    other.jetstream().declare(valid);
    for (const auto* durable : {"one", "two"})
        broker.subscriber<"orders.*">(pull(durable)).publish_to<"valid.all">().handle([] { return std::string{"x"}; });
    broker.start();
    publish(1);
    CHECK(all_settled("one"));
    CHECK(all_settled("two"));
    CHECK(count() == 2);
}

TEST_CASE_METHOD(Fixture, "a process that ends between the result and the acknowledgement stores nothing twice") {
    other.jetstream().declare(valid);
    consumer().declare({.filter_subjects = {"orders.*"}, .ack_wait = 1s});
    struct Gate {
        std::latch& latch;
        ~Gate() { latch.count_down(); }
    };
    std::latch go{1};
    Broker first{{.servers = {server.url()}, .name = "first"}};
    first.subscriber<"orders.*">(pull()).handle([&](Context& context) {
        context.publish("valid.all", 1);
        go.wait();
    });
    const Gate gate{go};  // opens before `first` waits for its handler
    first.start();
    publish(1);
    REQUIRE(comes(1));
    first.stop(0ms);  // it will never acknowledge the message
    Seen seen;
    broker.subscriber<"orders.*">(pull()).handle([&](Context& context) {
        context.publish("valid.all", 1);
        seen.add("again");
    });
    broker.start();
    CHECK(seen.wait_for(1));
    CHECK(all_settled());
    CHECK(count() == 1);
}

TEST_CASE_METHOD(Fixture, "a server that is killed before it confirms a result loses no result") {
    other.jetstream().declare(valid);
    Seen seen;
    broker.subscriber<"orders.*">(pull()).publish_to<"valid.all">().handle([&](const std::string& body) {
        seen.add(body);
        return body;
    });
    broker.start();
    for (int round = 1; round <= 3; ++round) {
        publish(20);
        REQUIRE(seen.wait_for(static_cast<std::size_t>(round * 10)));
        server.kill();
        server.restart();
    }
    REQUIRE(eventually(
        [&] {
            const auto info = consumer().try_info();
            return info && info->ack_pending + info->pending == 0;
        },
        60s));
    CHECK(count() == 60);
}

TEST_CASE_METHOD(Fixture, "a subject that nobody stores is published plainly, with one warning at the start") {
    std::atomic<int> events = 0;
    other.subscriber<"valid.*">().handle([&] { ++events; });
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">().handle([] { return std::string{"x"}; });
    broker.subscriber<"orders.{id}">(pull("quiet")).publish_to<"valid.{id}">({.confirm = false}).handle([] {
        return std::string{"x"};
    });
    broker.start();
    const auto line = log.wait_for("no stream stores \"valid.*\"");
    CHECK_THAT(line, ContainsSubstring(R"(subscriber "orders.{id}": publish_to "valid.{id}")") &&
                         ContainsSubstring(".confirm = false"));
    publish(3);
    CHECK(all_settled());
    CHECK(all_settled("quiet"));
    CHECK(eventually([&] { return events == 6; }));
    const auto lines = log.all();
    CHECK(std::ranges::count_if(lines, [](const auto& one) { return one.contains("no stream stores"); }) == 1);
}

TEST_CASE_METHOD(Fixture, "confirm = true ends the start where no stream stores or acknowledges the subject") {
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">({.confirm = true}).handle([] {
        return std::string{"x"};
    });
    const auto names_it = MessageMatches(ContainsSubstring("no stream stores \"valid.*\" and acknowledges"));
    SECTION("none stores it") { CHECK_THROWS_MATCHES(broker.start(), Error, names_it); }
    SECTION("one stores it and does not acknowledge") {
        other.jetstream().declare({.name = "VALID", .subjects = {"valid.>"}, .no_ack = true});
        CHECK_THROWS_MATCHES(broker.start(), Error, names_it);
    }
    SECTION("one stores it") {
        other.jetstream().declare(valid);
        broker.start();
        publish(1);
        CHECK(all_settled());
        CHECK(count() == 1);
    }
}

TEST_CASE_METHOD(Fixture, "confirm = true is not for subscribers of core NATS") {
    broker.subscriber<"orders.{id}">().publish_to<"valid.{id}">({.confirm = true}).handle([] {
        return std::string{"x"};
    });
    CHECK_THROWS_MATCHES(broker.start(), Error, MessageMatches(ContainsSubstring("js::Pull or js::Push")));
}

TEST_CASE_METHOD(Fixture, "a stream that another subscriber declares is found at the start, in any order") {
    Seen seen;
    broker.subscriber<"orders.*">(pull()).publish_to<"valid.all">().handle([](const std::string& body) {
        return body;
    });
    broker.subscriber<"valid.*">(js::Pull{.stream = valid, .durable = "next"}).handle([&](const std::string& body) {
        seen.add(body);
    });
    broker.start();
    publish(3);
    CHECK(seen.wait_for(3));
    CHECK(log.find("no stream stores") == "");
    CHECK(id_of(0).starts_with("ORDERS.worker.1."));
}

TEST_CASE_METHOD(Fixture, "of a pattern that streams store in part, only that part is confirmed") {
    other.jetstream().declare({.name = "VALID", .subjects = {"valid.eu", "valid.us"}, .allow_direct = true});
    std::atomic<int> events = 0;
    other.subscriber<"valid.asia">().handle([&] { ++events; });
    broker.subscriber<"orders.{id}">(pull()).publish_to<"valid.{id}">().handle([] { return std::string{"x"}; });
    broker.start();
    for (const auto* subject : {"orders.eu", "orders.asia", "orders.us"}) publish("1", subject);
    CHECK(all_settled());
    CHECK(count() == 2);
    CHECK(id_of(0) != "none");
    CHECK(eventually([&] { return events == 1; }));
}

TEST_CASE_METHOD(Fixture, "ack_sync waits for what the handler has published") {
    other.jetstream().declare(
        {.name = "VALID", .subjects = {"valid.>"}, .max_msgs = 1, .discard = js::Discard::incoming});
    Seen seen;
    broker.subscriber<"orders.*">(pull()).handle([&](const Message& message, Context& context) {
        context.publish("valid.all", 1);
        seen.add(testing::text(message));
        context.ack_sync();
        seen.add("acknowledged " + testing::text(message));
    });
    broker.start();
    publish("1");
    REQUIRE(seen.wait_for(2));
    publish("2");
    REQUIRE(seen.wait_for(4));  // the second message comes again and again
    broker.stop();
    const auto all = seen.all();
    CHECK(all[1] == "acknowledged 1");
    CHECK(std::ranges::find(all, "acknowledged 2") == all.end());
}

TEST_CASE_METHOD(Fixture, "stop waits for the confirmations") {
    other.jetstream().declare(valid);
    broker.subscriber<"orders.*">(pull()).publish_to<"valid.all">().handle([] { return std::string{"x"}; });
    broker.start();
    publish(200);
    REQUIRE(comes(1));
    broker.stop();
    // What was handled was acknowledged, and the rest was given back.
    const auto info = consumer().info();
    CHECK(count() + info.pending + info.ack_pending == 200);
}

TEST_CASE_METHOD(Fixture, "Context::publish of a core subscriber publishes as the broker does") {
    Seen seen;
    other.subscriber<"out">().handle([&](const Message& message) { seen.add(std::string{message.reply_to()}); });
    other.ping(5s);
    broker.subscriber<"in">().handle([](Context& context) { context.publish("out", 1, {.reply_to = "answers"}); });
    broker.start();
    other.publish("in", 1);
    REQUIRE(seen.wait_for(1));
    CHECK(seen.all()[0] == "answers");
}
