// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::TestBroker;

namespace {

template <class T>
std::string printed(const T& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

void wire_billing(Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order) -> Invoice { return {.order_id = order.id, .total = order.amount * 1.2}; });
}

}  // namespace

TEST_CASE("publish tells the outcome, and what the service published can be read") {
    Broker broker;
    wire_billing(broker);
    TestBroker test{broker};
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == Outcome::ack);
    REQUIRE(test.published<Invoice>("invoices.eu").size() == 1);
    CHECK(test.published<Invoice>("invoices.eu").at(0).total == 12);
    CHECK(test.published<Invoice>("invoices.{region}").subject(0) == "invoices.eu");
    CHECK(test.published().size() == 1);  // what the test published is not among it
    const auto deliveries = test.deliveries("orders.{region}.created");
    REQUIRE(deliveries.size() == 1);
    CHECK(deliveries.front().message.as<Order>().id == "a1");
    CHECK(test.outcomes() == std::vector{Outcome::ack});
    test.clear();
    CHECK(test.published().empty());
    CHECK(test.outcomes().empty());
}

TEST_CASE("request answers, fails and times out as with a server, but at once") {
    Broker broker;
    broker.subscriber<"add">().handle([](const Add& add) -> Sum { return {add.a + add.b}; });
    broker.subscriber<"refuse">().handle([](std::string_view) { throw RemoteError{422, "no"}; });
    broker.subscriber<"silent">().handle([](std::string_view) {});
    TestBroker test{broker};
    CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    const auto refused = test.try_request<Sum>("refuse", "x");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 422);
    CHECK(test.try_request<Sum>("nobody", "x").error().code() == Condition::no_responders);
    const auto before = test.now();
    CHECK(test.try_request<Sum>("silent", "x", {.timeout = 1h}).error().code() == Condition::timeout);
    CHECK(test.now() - before >= 1h);
}

TEST_CASE("a handler may ask others, and itself in vain") {
    Broker broker;
    broker.subscriber<"add">().handle([](const Add& add) -> Sum { return {add.a + add.b}; });
    broker.subscriber<"twice">().handle([](const Add& add, Broker& self) {
        return self.request<Sum>("add", Add{add.a + add.b, add.a + add.b});
    });
    broker.subscriber<"self">().handle([](std::string_view body, Broker& self) {
        if (body == "again") return std::string{};
        return std::string{self.try_request<Sum>("self", "again", {.timeout = 50ms}).error().code().message()};
    });
    TestBroker test{broker};
    CHECK(test.request<Sum>("twice", Add{1, 2}).value == 6);
    CHECK(test.request<std::string>("self", "x", {.timeout = 1min}) == make_error_code(Errc::timeout).message());
}

TEST_CASE("what a handler throws is kept, and thrown again where asked") {
    Broker broker;
    broker.subscriber<"fails">().handle([](std::string_view) { throw std::logic_error{"the disk is full"}; });
    broker.subscriber<"takes.order">().handle([](const Order&) {});
    TestBroker test{broker};
    const auto failed = test.publish("fails", "x");
    CHECK_FALSE(failed == Outcome::ack);
    CHECK(failed == Outcome::nack());
    CHECK_THROWS_AS(failed.rethrow(), std::logic_error);
    CHECK_THAT(printed(failed), ContainsSubstring("\"fails\" got fails x: nack: the disk is full"));
    const auto refused = test.publish("takes.order", "no JSON");
    CHECK(refused == Outcome::term());
    CHECK_THROWS_AS(refused.rethrow(), Error);
}

TEST_CASE("what does not hold says why") {
    Broker broker;
    wire_billing(broker);
    TestBroker test{broker};
    const auto nobody = test.publish("orders.eu.craeted", Order{"a1", 10});
    CHECK_FALSE(nobody == Outcome::ack);
    CHECK_THAT(printed(nobody), ContainsSubstring("no subscriber got it") && ContainsSubstring("orders.eu.craeted") &&
                                    ContainsSubstring("orders.{region}.created"));
    std::ostringstream for_googletest;
    PrintTo(nobody, &for_googletest);
    CHECK(for_googletest.str() == printed(nobody));
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == Outcome::ack);
    CHECK_THROWS_WITH(test.published<Invoice>("invoices.us").at(0),
                      ContainsSubstring("there are 0") && ContainsSubstring("invoices.eu (1)"));
    CHECK_THAT(printed(test.published<Invoice>("invoices.eu")), ContainsSubstring(R"("order_id":"a1")"));
    CHECK(printed(Outcome::nack(5s)) == "nack after 5 s");
    CHECK(printed(Outcome::term("late")) == "term (late)");
    CHECK(printed(Headers{{"a", "1"}, {"b", "2"}}) == "[a: 1, b: 2]");
}

TEST_CASE("publications reach other subscribers of the service, and headers travel") {
    Broker broker;
    broker.subscriber<"a">().publish_to<"b">().handle([](std::string_view body) {
        return Response{std::string{body} + "b", Headers{{"step", "1"}}};
    });
    broker.subscriber<"b">().publish_to<"c">().handle([](std::string_view body, Header<"step"> step) {
        return std::string{body} + "c" + std::string{*step};
    });
    TestBroker test{broker};
    CHECK(test.publish("a", "a") == Outcome::ack);
    CHECK(test.published<std::string>("c").at(0) == "abc1");
    CHECK(test.published<std::string>("b").headers(0).get("step") == "1");
    CHECK(test.outcomes().size() == 2);
}

TEST_CASE("subscribers come and go while the test runs, and messages can be read one by one") {
    Broker broker;
    auto stream = broker.subscriber<"stream.>">().messages();
    TestBroker test{broker};
    auto late = broker.subscriber<"late">().handle([](std::string_view) {});
    CHECK(test.publish("late", "x") == Outcome::ack);
    late.stop();
    CHECK(test.publish("late", "x").empty());

    const auto before = test.now();
    CHECK_FALSE(stream.next(5s).has_value());
    CHECK(test.now() - before == 5s);
    CHECK(test.publish("stream.1", "x") == Outcome::ack);
    CHECK(stream.next(5s)->text() == "x");
    CHECK(test.now() - before == 5s);
}

TEST_CASE("an answer of many ends after its time, without waiting for it") {
    Broker broker;
    for (int i = 0; i < 3; ++i) broker.subscriber<"who">().handle([i](std::string_view) { return std::to_string(i); });
    TestBroker test{broker};
    std::vector<std::string> answers;
    for (const auto& answer : test.client().request_many<std::string>("who", "", {.timeout = 1h}))
        answers.push_back(answer);
    CHECK(answers == std::vector<std::string>{"0", "1", "2"});
}

TEST_CASE("workers run one after the other, and on their threads when asked to") {
    const bool threads = GENERATE(false, true);
    std::set<std::thread::id> seen;
    std::mutex mutex;
    std::atomic<int> sum = 0;
    Broker broker;
    broker.subscriber<"jobs.{n}">({.workers = 4}).handle([&](Path<"n", int> n, Broker& self) {
        const auto doubled = self.request<std::string>("double", std::to_string(*n));
        sum += std::stoi(doubled);
        const std::lock_guard lock{mutex};
        seen.insert(std::this_thread::get_id());
    });
    broker.subscriber<"double">({.dedicated = true}).handle([](std::string_view body) {
        return std::to_string(2 * std::stoi(std::string{body}));
    });
    TestBroker test{broker, {.threads = threads}};
    for (int i = 1; i <= 20; ++i) CHECK(test.publish("jobs." + std::to_string(i), "") == Outcome::ack);
    CHECK(sum == 420);
    if (!threads) CHECK(seen == std::set{std::this_thread::get_id()});
    else CHECK_FALSE(seen.contains(std::this_thread::get_id()));
}

TEST_CASE("a future is ready for who waits for it, in the test and in a handler") {
    Broker broker;
    broker.subscriber<"add">().handle([](const Add& add) -> Sum { return {add.a + add.b}; });
    broker.subscriber<"four">().handle([](std::string_view, Broker& self) {
        const auto add = self.client<Sum(const Add&)>("add");
        auto one = add.async({1, 1});
        auto two = add.async({1, 1});
        return Sum{one.get().value + two.get().value};
    });
    TestBroker test{broker};
    CHECK(test.request<Sum>("four", "").value == 4);
    auto future = test.client().client<Sum(const Add&)>("add").async({1, 2});
    auto nobody = test.client().client<Sum(const Add&)>("nobody").async({1, 2});
    CHECK(future.get().value == 3);
    CHECK_THROWS_AS(nobody.get(), Error);
}

TEST_CASE("a service's deadlines pass when the test says so") {
    Broker broker;
    int timeouts = 0;
    broker.subscriber<"start">().handle([&](std::string_view, Broker& self) {
        self.client<void()>("silent", {.timeout = 30s}).async([&](const Expected<void>& answer) {
            if (!answer) ++timeouts;
        });
    });
    broker.subscriber<"silent">().handle([](std::string_view) {});
    TestBroker test{broker};
    CHECK(test.publish("start", "") == Outcome::ack);
    test.advance(29s);
    CHECK(timeouts == 0);
    test.advance(2s);
    CHECK(timeouts == 1);
}

TEST_CASE("a broker that was started, or that cannot start, is refused") {
    Broker broker;
    broker.subscriber<"a">().handle([](Inject<Order>) {});
    CHECK_THROWS_WITH(TestBroker{broker}, ContainsSubstring("Inject<Order>"));

    Broker started;
    TestBroker test{started};
    CHECK_THROWS_WITH(TestBroker{started}, ContainsSubstring("was started"));
}

TEST_CASE("a subscriber that was begun and never given a handler fails the start, by its subject") {
    Broker broker;
    const auto forgotten = broker.subscriber<"orders.{id}">();
    std::ignore = broker.subscriber("bills").publish_to("out");
    auto later = broker.subscriber<"rates">();
    std::move(later).handle([](std::string_view) {});
    Router inner{"inner."};
    std::ignore = inner.subscriber<"x">();
    inner.subscriber<"y">().handle([](std::string_view) {});
    Router outer{"outer."};
    outer.include(inner);
    broker.include(outer);
    CHECK_THROWS_WITH(TestBroker{broker}, "the broker cannot start:\n"
                                          "  - subscriber \"outer.inner.x\": it has no handler; call .handle(...)\n"
                                          "  - subscriber \"orders.{id}\": it has no handler; call .handle(...)\n"
                                          "  - subscriber \"bills\": it has no handler; call .handle(...)");
}

TEST_CASE("the same test runs against a nats-server") {
    Broker broker;
    wire_billing(broker);
    broker.subscriber<"invoices.{region}">().publish_to<"mails.{region}">().handle([](const Invoice& invoice) {
        return "invoice " + invoice.order_id;
    });
    broker.subscriber<"add">().handle([](const Add& add) -> Sum { return {add.a + add.b}; });
    TestBroker test{broker, testing::with_server};
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == Outcome::ack);
    CHECK(test.published<Invoice>("invoices.eu").at(0).total == 12);
    CHECK(test.published<std::string>("mails.eu").at(0) == "invoice a1");
    CHECK(test.request<Sum>("add", Add{1, 2}).value == 3);
    CHECK(test.try_request<Sum>("nobody", "x").error().code() == Condition::no_responders);
}

TEST_CASE("with a nats-server, too, whoever is asked hears at once when the connection is back") {
    Broker broker;
    broker.subscriber<"echo">().handle([](std::string_view text) { return std::string{text}; });
    TestBroker test{broker, testing::with_server};
    for (int i = 0; i < 5; ++i) {
        test.lose_connection();
        test.restore_connection();
        CHECK(test.request<std::string>("echo", "b") == "b");
    }
}
