// SPDX-License-Identifier: Apache-2.0
// The code of docs/dead-letters.md.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "orders.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
namespace js = freshet::js;

namespace {

struct Fixture : snippets::WithStreams {
    std::vector<std::string> printed = {};
    std::vector<Order> billed = {};

    void print(std::string line) { printed.push_back(std::move(line)); }
    std::uint64_t kept() { return broker.jetstream().stream("DEAD").info().state.messages; }
};

void bill(const Order& order) {
    if (order.amount < 0) throw std::runtime_error{"negative amount"};
}
void store(std::span<const Order> batch) {
    for (const auto& order : batch) bill(order);
}

// [worker]
const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream dead{.name = "DEAD", .subjects = {"dead.>"}, .max_age = 30 * 24h};

void wire(freshet::Broker& broker) {
    broker
        .subscriber<"orders.{region}.created">(js::Pull{.stream = orders,
                                                        .durable = "billing",
                                                        .retry = {.max_attempts = 3,
                                                                  .backoff = {10ms, 50ms},
                                                                  .dead_letter = "dead.orders",
                                                                  .dead_letter_stream = dead}})
        .handle([](const Order& order) { bill(order); });
}
// [worker]

}  // namespace

TEST_CASE_METHOD(Fixture, "by program") {
    wire(broker);
    broker.start();
    for (const double amount : {-1.0, -2.0, -3.0})
        broker.jetstream().publish("orders.eu.created", Order{"a" + std::to_string(int(-amount)), amount});
    REQUIRE(eventually([&] { return kept() == 3; }));
    // [list]
    const js::DeadLetters letters{broker, "DEAD"};
    for (const auto& letter : letters.list({.subject = "orders.*.created", .limit = 50})) {
        print(std::to_string(letter.sequence()) + " " + std::string{letter.original_subject()} + ": " +
              std::string{letter.reason()});
    }
    // [list]
    CHECK(printed.at(0) == "1 orders.eu.created: negative amount");
    broker.jetstream().publish("dead.orders", std::string{"x"}, {.headers = {{"Dead-Letter-Subject", "gone.eu"}}});
    // [act]
    const auto letter = letters.show(1);
    auto order = letter.decode<Order>();          // the body, as the handler would have got it
    const auto tenant = letter.header("tenant");  // and its headers

    letters.retry(1);  // into ORDERS again, under its own subject; then the letter is removed
    letters.drop(2);   // removed for good

    const auto retries = letters.retry_all({.consumer = "billing", .reason = "negative"});
    print(std::to_string(retries.retried) + " are on their way again");
    for (const auto& failed : retries.failed) print(failed.error.what());
    // [act]
    CHECK(order.id == "a1");
    CHECK_FALSE(tenant.has_value());
    CHECK(retries.failed.empty());
    // [drop-all]
    letters.drop_all({.matches = [](const js::DeadLetter& old) {
        return std::chrono::system_clock::now() - old.time() > 7 * 24h;
    }});
    // [drop-all]
    CHECK(eventually([&] { return letters.list({.consumer = "billing"}).size() == retries.retried + 1; }));
}

TEST_CASE_METHOD(Fixture, "a batch with one bad message") {
    // [isolate]
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = orders,
            .durable = "report",
            .retry = {.max_attempts = 3, .backoff = {10ms}, .dead_letter = "dead.orders", .dead_letter_stream = dead},
            .batch = {.size = 500, .within = 50ms, .isolate = true}})
        .handle([](std::span<const Order> batch) { store(batch); });
    // [isolate]
    broker.start();
    for (const double amount : {1.0, -2.0, 3.0}) broker.jetstream().publish("orders.eu.created", Order{"a", amount});
    CHECK(eventually([&] { return kept() == 1; }));
}

TEST_CASE_METHOD(Fixture, "a subscriber reports dead letters") {
    wire(broker);
    std::atomic<int> reported = 0;
    const auto page = [&](std::string_view, std::string_view) { ++reported; };
    // [report]
    broker.subscriber<"dead.>">(js::Pull{.stream = dead, .durable = "pager", .retry = {.max_attempts = 5}})
        .handle([&](const freshet::Message& letter, freshet::Header<"Dead-Letter-Reason"> reason) {
            page(letter.subject(), *reason);
        });
    // [report]
    broker.start();
    broker.jetstream().publish("orders.eu.created", Order{"a1", -1});
    CHECK(eventually([&] { return reported == 1; }));
    CHECK(kept() == 1);  // reporting removes nothing
}

// [test]
TEST_CASE("a bad order becomes a dead letter, and is billed when it is retried after the fix") {
    freshet::Broker broker;
    bool fixed = false;
    std::vector<std::string> billed;
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = orders,
            .durable = "billing",
            .retry = {.max_attempts = 2, .backoff = {1h}, .dead_letter = "dead.orders", .dead_letter_stream = dead}})
        .handle([&](const Order& order) {
            if (!fixed) bill(order);
            billed.push_back(order.id);
        });
    freshet::testing::TestBroker test{broker};  // no server
    broker.jetstream().publish("orders.eu.created", Order{"a1", -1});
    test.advance(2h);  // the second attempt

    const js::DeadLetters letters{broker, "DEAD"};
    CHECK(letters.list().at(0).reason() == "negative amount");
    fixed = true;
    letters.retry_all();
    test.run();
    CHECK(billed == std::vector<std::string>{"a1"});
    CHECK(letters.list().empty());
}
// [test]
