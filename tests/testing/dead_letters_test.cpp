// SPDX-License-Identifier: Apache-2.0
// js::DeadLetters and the look-up of who keeps dead letters: in memory, and the same over nats-server.
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
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

js::Pull pull(std::string durable = "worker") {
    return {.stream = orders,
            .durable = std::move(durable),
            .retry = {.max_attempts = 1, .dead_letter = "dead.orders", .dead_letter_stream = dead}};
}

/// A worker that gives everything up while it is broken.
struct Fixture : Both {
    Fixture() {
        broker.subscriber<"orders.{id}">(pull()).handle([this](const Message& message) {
            if (broken) throw std::runtime_error{"no disk for " + std::string{message.text()}};
            handled.emplace_back(message.text());
            headers = message.headers();
        });
    }
    /// Publishes messages that become dead letters.
    void give_up(const std::vector<std::string>& bodies, const js::PublishOptions& options = {}) {
        for (const auto& body : bodies) broker.jetstream().publish("orders." + body, body, options);
        REQUIRE(pass_until([&] { return kept() == bodies.size(); }));
    }
    std::size_t kept() { return broker.jetstream().stream("DEAD").info().state.messages; }

    bool broken = true;
    std::vector<std::string> handled = {};
    Headers headers = {};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "dead letters are listed and shown with their origin") {
    start();
    give_up({"a", "b"});
    const js::DeadLetters letters{broker, "DEAD"};
    const auto all = letters.list();
    REQUIRE(all.size() == 2);
    CHECK(all[0].text() == "a");
    CHECK(all[0].subject() == "dead.orders");
    CHECK(all[0].reason() == "no disk for a");
    CHECK(all[0].original_subject() == "orders.a");
    CHECK(all[0].original_stream() == "ORDERS");
    CHECK(all[0].original_consumer() == "worker");
    CHECK(all[0].original_sequence() == 1);
    CHECK(all[0].deliveries() == 1);
    CHECK(all[0].complete());
    REQUIRE(all[0].original_time());
    CHECK(*all[0].original_time() == broker.jetstream().stream("ORDERS").message(1).time());
    const auto second = letters.show(all[1].sequence());
    CHECK(second.decode<std::string>() == "b");
    CHECK(second.metadata()->stream == "DEAD");
    CHECK(letters.try_show(9).error() == Errc::message_not_found);
}

TEST_CASE_METHOD(Fixture, "a filter means letters by subject, stream, consumer, reason, place and number") {
    start();
    give_up({"a", "b", "c"});
    const js::DeadLetters letters{broker, "DEAD"};
    const auto bodies = [&](const js::DeadLetterFilter& filter) {
        std::string all;
        for (const auto& letter : letters.list(filter)) all += letter.text();
        return all;
    };
    CHECK(bodies({}) == "abc");
    CHECK(bodies({.subject = "orders.b"}) == "b");
    CHECK(bodies({.subject = "orders.*", .limit = 2}) == "ab");
    CHECK(bodies({.subject = "other.>"}) == "");
    CHECK(bodies({.stream = "ORDERS", .consumer = "worker"}) == "abc");
    CHECK(bodies({.stream = "OTHER"}) == "");
    CHECK(bodies({.consumer = "other"}) == "");
    CHECK(bodies({.reason = "disk for c"}) == "c");
    CHECK(bodies({.from_sequence = 2}) == "bc");
    CHECK(bodies({.matches = [](const js::DeadLetter& letter) { return letter.text() == "b"; }}) == "b");
    CHECK(letters.try_list({.subject = "a..b"}).error() == Errc::bad_subject);
    CHECK(js::DeadLetters(broker, "NONE").try_list().error() == Errc::stream_not_found);
}

TEST_CASE_METHOD(Fixture, "a retried message has its subject and headers, and is handled again") {
    start();
    give_up({"a"}, {.headers = {{"tenant", "acme"}, {"content-type", "text/plain"}}, .id = "first"});
    broken = false;
    const js::DeadLetters letters{broker, "DEAD"};
    const auto ack = letters.retry(1);
    CHECK(ack.stream == "ORDERS");
    CHECK_FALSE(ack.duplicate);  // although its first id is the stream's still
    CHECK(pass_until([&] { return handled.size() == 1; }));
    CHECK(handled.at(0) == "a");
    CHECK(headers.get("tenant") == "acme");
    CHECK(headers.get("content-type") == "text/plain");
    for (const auto& [name, value] : headers) CHECK_FALSE(name.starts_with("Dead-Letter-"));
    CHECK(kept() == 0);
    CHECK(letters.try_retry(1).error() == Errc::message_not_found);
}

TEST_CASE_METHOD(Fixture, "a retry that is repeated stores the message once") {
    start();
    give_up({"a"});
    broken = false;
    const js::DeadLetters letters{broker, "DEAD"};
    // The letter is still there when the answer is lost, or when the program ends before it removes the letter.
    const auto letter = letters.show(1);
    CHECK_FALSE(letters.retry(1).duplicate);
    auto restored = broker.jetstream();
    const auto stored = restored.stream("ORDERS").last_message("orders.a");
    const auto id = std::string{stored.header("Nats-Msg-Id").value_or("")};
    CHECK_THAT(id, ContainsSubstring("retry.DEAD.1."));
    CHECK(restored.publish("orders.a", letter.payload(), {.id = id}).duplicate);
    CHECK(pass_until([&] { return handled.size() == 1; }));
    CHECK(restored.stream("ORDERS").info().state.messages == 2);  // the first one, and its repetition
}

TEST_CASE_METHOD(Fixture, "everything that a filter means is retried or dropped, what comes later is not") {
    start();
    give_up({"a", "b", "c"});
    const js::DeadLetters letters{broker, "DEAD"};
    CHECK(letters.drop_all({.subject = "orders.b"}) == 1);
    const auto retries = letters.retry_all();  // the worker is still broken: each comes back as a new letter
    CHECK(retries.retried == 2);
    CHECK(retries.failed.empty());
    CHECK(pass_until([&] { return letters.list().size() == 2; }));
    broken = false;
    CHECK(letters.retry_all({.limit = 1}).retried == 1);
    letters.drop(letters.list().at(0).sequence());
    CHECK(letters.list().empty());
    CHECK(pass_until([&] { return handled.size() == 1; }));
    CHECK(handled.at(0) == "a");
}

TEST_CASE_METHOD(Fixture, "a letter that cannot be retried says why, and stays") {
    start();
    const js::DeadLetters letters{broker, "DEAD"};
    auto stream = broker.jetstream();
    stream.publish("dead.orders", std::string{"no letter"});
    stream.publish("dead.orders", std::string{},
                   {.headers = {{"Dead-Letter-Subject", "orders.x"},
                                {"Dead-Letter-Stream", "ORDERS"},
                                {"Dead-Letter-Sequence", "7"},
                                {"Dead-Letter-Payload-Size", "9000000"}}});
    stream.publish("dead.orders", std::string{"x"}, {.headers = {{"Dead-Letter-Subject", "nobody.stores"}}});
    CHECK_THAT(letters.try_retry(1).error().what(),
               ContainsSubstring("dead letter 1 of stream \"DEAD\"") && ContainsSubstring("is no dead letter"));
    CHECK_THAT(letters.try_drop(1).error().what(), ContainsSubstring("is no dead letter"));
    CHECK_THAT(letters.try_retry(2).error().what(),
               ContainsSubstring("its payload of 9000000 bytes was too large") &&
                   ContainsSubstring("message 7 of stream \"ORDERS\" may still have it"));
    const auto nobody = letters.try_retry(3);
    CHECK(nobody.error() == Errc::no_stream);
    CHECK_THAT(nobody.error().what(), ContainsSubstring("retry dead letter 3 of stream \"DEAD\""));
    const auto retries = letters.retry_all();
    CHECK(retries.retried == 0);
    REQUIRE(retries.failed.size() == 2);
    CHECK(retries.failed[0].sequence == 2);
    CHECK(retries.failed[1].error == Errc::no_stream);
    CHECK(kept() == 3);
}

TEST_CASE_METHOD(Fixture, "headers that were commands to the server are not repeated, but how long it is of use") {
    start();
    auto kept_stream = orders;
    broker.jetstream().publish("dead.orders", std::string{"x"},
                               {.headers = {{"Dead-Letter-Subject", "orders.x"},
                                            {"Dead-Letter-Nats-TTL", "1h"},
                                            {"Dead-Letter-Nats-Rollup", "all"},
                                            {"Dead-Letter-Nats-Msg-Id", "first"},
                                            {"k", "v"}}});
    const auto restored = js::DeadLetters{broker, "DEAD"}.show(1).original_headers();
    CHECK(restored == Headers{{"Nats-TTL", "1h"}, {"k", "v"}});
}

TEST_CASE_METHOD(Both, "the start declares the stream of the dead letters") {
    broker.subscriber<"orders.*">(pull()).handle([](const Message&) {});
    start();
    CHECK(broker.jetstream().stream("DEAD").info().config.subjects == std::vector<std::string>{"dead.>"});
    CHECK(log.find("dead letters") == "");
}

TEST_CASE_METHOD(Both, "the start warns if nobody is known to keep the dead letters, and names the subject") {
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = orders, .durable = "worker", .retry = {.dead_letter = "dead.orders"}})
        .handle([](const Message&) {});
    start();
    CHECK_THAT(log.find("nobody is known to keep the dead letters"),
               ContainsSubstring("warn") && ContainsSubstring("subscriber \"orders.*\"") &&
                   ContainsSubstring("\"dead.orders\"") && ContainsSubstring("dead_letter_stream"));
}

TEST_CASE_METHOD(Both, "the start does not warn if a stream keeps the dead letters, or a subscriber answers them") {
    const auto worker = [&](std::string durable, std::string to) {
        broker
            .subscriber<"orders.*">(js::Pull{
                .stream = orders, .durable = std::move(durable), .retry = {.dead_letter = std::move(to)}})
            .handle([](const Message&) {});
    };
    worker("one", "dead.orders");
    worker("two", "buried.orders");
    broker.subscriber<"dead.>">(js::Pull{.stream = dead, .durable = "keeper", .retry = {.max_attempts = 1}})
        .handle([](const Message&) {});
    broker.subscriber<"buried.*">().handle([](const Message&) { return Response<>{}; });
    start();
    CHECK(log.find("dead letters") == "");
}

TEST_CASE_METHOD(Both, "the start fails if the named stream does not keep the dead letters") {
    auto options = pull();
    SECTION("another subject") {
        options.retry.dead_letter = "lost.orders";
        broker.subscriber<"orders.*">(options).handle([](const Message&) {});
        CHECK_THROWS_WITH(start(), ContainsSubstring("retry.dead_letter is \"lost.orders\"") &&
                                       ContainsSubstring("stream \"DEAD\"") && ContainsSubstring("dead.>"));
    }
    SECTION("no such stream") {
        options.retry.dead_letter_stream = "NONE";
        broker.subscriber<"orders.*">(options).handle([](const Message&) {});
        CHECK_THROWS_WITH(start(), ContainsSubstring("stream \"NONE\"") && ContainsSubstring("dead_letter_stream"));
    }
    SECTION("no subject") {
        options.retry.dead_letter = "";
        broker.subscriber<"orders.*">(options).handle([](const Message&) {});
        CHECK_THROWS_WITH(start(), ContainsSubstring("retry.dead_letter_stream is \"DEAD\", and retry.dead_letter"));
    }
}
