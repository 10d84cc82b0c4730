// SPDX-License-Identifier: Apache-2.0
// The code of docs/handlers.md: handlers, results, threads; handlers_parameters.cpp has the parameters.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "orders.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;

namespace {

// [member]
class Billing {
public:
    explicit Billing(double rate) : rate_{rate} {}

    Invoice on_order(const Order& order) const { return {.order_id = order.id, .total = order.amount * rate_}; }

private:
    double rate_;
};
// [member]

// [function]
Invoice make_invoice(const Order& order) { return {.order_id = order.id, .total = order.amount * 1.2}; }
// [function]

using Fixture = snippets::Connected;

}  // namespace

TEST_CASE_METHOD(Fixture, "first") {
    // [first]
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, freshet::Path<"region"> region, freshet::Logger& log) -> Invoice {
            log.info("billing {} in {}", order.id, *region);
            return {.order_id = order.id, .total = order.amount * 1.2};
        });
    // [first]
    auto published = broker.subscriber("invoices.>").messages();
    broker.start();
    CHECK(broker.request<Invoice>("orders.eu.created", Order{"a1", 10}).total == 12);
    const auto invoice = published.next(20s);
    REQUIRE(invoice);
    CHECK(invoice->subject() == "invoices.eu");
}

TEST_CASE_METHOD(Fixture, "subjects of both forms") {
    const std::string prefix = "shop";
    // [run-time]
    broker.subscriber(prefix + ".orders.{id}").handle([](freshet::Path<"id"> id) { return std::string{*id}; });
    // [run-time]
    broker.start();
    CHECK(broker.request<std::string>("shop.orders.a1", "") == "a1");
}

TEST_CASE_METHOD(Fixture, "kinds of handlers") {
    // [kinds]
    Billing billing{1.2};  // outlives the broker's run

    broker.subscriber<"by.lambda">().handle([](const Order& order) { return make_invoice(order); });
    broker.subscriber<"by.function">().handle(make_invoice);
    broker.subscriber<"by.member">().handle(&Billing::on_order, billing);
    broker.subscriber<"by.shared">().handle(&Billing::on_order, std::make_shared<Billing>(1.5));
    // [kinds]
    broker.start();
    CHECK(broker.request<Invoice>("by.lambda", Order{"a", 10}).total == 12);
    CHECK(broker.request<Invoice>("by.function", Order{"a", 10}).total == 12);
    CHECK(broker.request<Invoice>("by.member", Order{"a", 10}).total == 12);
    CHECK(broker.request<Invoice>("by.shared", Order{"a", 10}).total == 15);
}

TEST_CASE_METHOD(Fixture, "results") {
    // [results]
    broker.subscriber<"is.void">().handle([](const Order&) {});  // answers nothing
    broker.subscriber<"is.value">().publish_to<"out.value">().handle([](const Order& order) {
        return make_invoice(order);
    });
    broker.subscriber<"is.optional">().publish_to<"out.optional">().handle(
        [](const Order& order) -> std::optional<Invoice> {
            if (order.amount == 0) return std::nullopt;  // answers nothing, publishes nothing
            return make_invoice(order);
        });
    broker.subscriber<"is.response">().publish_to<"out.response">().handle([](const Order& order) {
        return freshet::Response{make_invoice(order), {{"currency", "EUR"}}};
    });
    broker.subscriber<"is.confirmed">().handle([](const Order&) { return freshet::Response<>{}; });
    broker.subscriber<"is.expected">().handle([](const Order& order) -> freshet::Expected<Invoice> {
        if (order.amount < 0) return std::unexpected{freshet::RemoteError{422, "the amount is negative"}};
        return make_invoice(order);
    });
    // [results]
    broker.subscriber<"is.outcome">().handle([](const Order&) { return freshet::Outcome::ack; });
    auto out = broker.subscriber("out.>").messages();
    broker.start();

    const auto silent = [&](const char* subject, const Order& order) {
        return broker.try_request<void>(subject, order, {.timeout = 200ms}).error().code() ==
               freshet::Condition::timeout;
    };
    CHECK(silent("is.void", Order{}));
    CHECK(silent("is.outcome", Order{}));
    CHECK(silent("is.optional", Order{}));
    CHECK(broker.request<Invoice>("is.optional", Order{"a", 10}).total == 12);
    CHECK(out.next(20s)->subject() == "out.optional");  // and nothing for the empty one

    CHECK(broker.request<Invoice>("is.value", Order{"a", 10}).total == 12);
    CHECK(freshet::decode<Invoice>(*out.next(20s)).total == 12);

    CHECK(broker.request<freshet::Message>("is.response", Order{"a", 10}).header("currency") == "EUR");
    CHECK(out.next(20s)->header("currency") == "EUR");

    CHECK(broker.request<freshet::Message>("is.confirmed", Order{}).payload().empty());

    CHECK(broker.request<Invoice>("is.expected", Order{"a", 10}).total == 12);
    CHECK(broker.try_request<Invoice>("is.expected", Order{"a", -1}).error().remote_code() == 422);
}

TEST_CASE_METHOD(Fixture, "the answer goes first, then the publications in order") {
    auto seen = broker.subscriber("seen.>").messages();
    broker.subscriber<"in">().publish_to<"seen.second">().publish_to<"seen.third">().handle([](std::string_view text) {
        return std::string{text};
    });
    broker.start();
    broker.publish("in", "x", {.reply_to = "seen.first"});
    for (const auto* subject : {"seen.first", "seen.second", "seen.third"}) CHECK(seen.next(20s)->subject() == subject);
}

TEST_CASE("queue groups") {
    NatsServer server;
    freshet::Broker one{{.servers = {server.url()}}};
    freshet::Broker two{{.servers = {server.url()}}};
    std::atomic<int> shared = 0;
    std::atomic<int> all = 0;
    for (auto* broker_of : {&one, &two}) {
        auto& broker = *broker_of;
        // [queue]
        broker.subscriber<"jobs.{id}">({.queue = "workers"}).handle([&](freshet::Path<"id">) {
            ++shared;
        });                                                                            // one of them
        broker.subscriber<"jobs.{id}">().handle([&](freshet::Path<"id">) { ++all; });  // each of them
        // [queue]
        broker.start();
    }
    for (int i = 0; i < 100; ++i) one.publish("jobs." + std::to_string(i), "");
    one.ping();
    two.ping();
    CHECK(one.stop());
    CHECK(two.stop());
    CHECK(shared == 100);
    CHECK(all == 200);
}

TEST_CASE_METHOD(Fixture, "views as results") {
    // [view]
    broker.subscriber<"echo">().handle([](std::string_view body) { return body.substr(0, body.find(' ')); });
    // [view]
    // [borrowed]
    broker.subscriber<"ping">().handle([] { return freshet::Borrowed{"pong"}; });
    // [borrowed]
    broker.start();
    CHECK(broker.request<std::string>("echo", "hello world") == "hello");
    CHECK(broker.request<std::string>("ping", "") == "pong");
}

TEST_CASE_METHOD(Fixture, "workers") {
    std::latch all_at_work{4};
    // [workers]
    broker.subscriber<"resize.{image}">({.workers = 4}).handle([&](freshet::Path<"image">) {
        all_at_work.arrive_and_wait();  // passes only because four of them run at the same time
    });
    // [workers]
    broker.start();
    for (int i = 0; i < 4; ++i) broker.publish("resize." + std::to_string(i), "");
    all_at_work.wait();
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "ordered by") {
    std::mutex mutex;
    std::map<std::string, std::vector<int>> seen;
    // [ordered]
    broker.subscriber<"accounts.{id}.{change}">({.workers = 4, .ordered_by = "id"})
        .handle([&](freshet::Path<"id", std::string> id, freshet::Path<"change", int> change) {
            const std::lock_guard lock{mutex};
            seen[*id].push_back(change);  // in order for each id
        });
    // [ordered]
    // [ordered-function]
    broker
        .subscriber<"payments">({.workers = 4,
                                 .ordered_by =
                                     [](const freshet::Message& message) {
                                         return std::hash<std::string_view>{}(message.header("account").value_or(""));
                                     }})
        .handle([](const Order&) {});
    // [ordered-function]
    broker.start();
    auto changes = broker.publisher<std::string, "accounts.{id}.{change}">();
    for (int change = 0; change < 50; ++change) {
        for (const auto* id : {"a", "b", "c"}) changes.publish("", id, change);
    }
    broker.ping();
    CHECK(broker.stop());
    for (const auto* id : {"a", "b", "c"}) {
        REQUIRE(seen[id].size() == 50);
        CHECK(std::ranges::is_sorted(seen[id]));
    }
}

TEST_CASE_METHOD(Fixture, "subscribers of a running broker") {
    broker.start();
    std::atomic<int> received = 0;
    // [dynamic]
    auto subscriber = broker.subscriber<"news.{topic}">().handle([&](freshet::Path<"topic">) { ++received; });
    broker.publish("news.weather", "");  // reaches it: handle returned when the server knew

    broker.ping();      // when it returns, that message has arrived
    subscriber.stop();  // handles what has arrived, then returns
    // [dynamic]
    CHECK(received == 1);
    CHECK(subscriber.stats().received == 1);
    CHECK(broker.try_request<void>("news.weather", "").error().code() == freshet::Condition::no_responders);
}

TEST_CASE_METHOD(Fixture, "streams") {
    std::vector<std::string> seen;
    // [stream]
    auto orders = broker.subscriber("orders.>").messages();
    broker.start();
    broker.publish("orders.new", Order{"a1", 10});

    if (auto message = orders.next(5s)) {  // or nothing, after five seconds
        seen.push_back(freshet::decode<Order>(*message).id);
    }
    // [stream]
    CHECK(seen == std::vector<std::string>{"a1"});
    broker.publish("orders.x", "");
    broker.publish("orders.last", "");
    // [range]
    for (const freshet::Message& message : orders) {
        seen.emplace_back(message.subject());
        if (message.subject() == "orders.last") orders.stop();  // ends the loop when all that has arrived is read
    }
    // [range]
    CHECK(seen == std::vector<std::string>{"a1", "orders.x", "orders.last"});
}

TEST_CASE_METHOD(Fixture, "a subscriber that stops itself") {
    std::atomic<int> received = 0;
    std::optional<freshet::Subscriber> self;
    // [stop-self]
    self = broker.subscriber<"once">().handle([&](const Order&) {
        ++received;
        self->stop();  // inside a handler it returns at once; messages that have arrived already still come
    });
    // [stop-self]
    broker.start();
    broker.publish("once", Order{});
    CHECK(eventually([&] {
        return broker.try_request<void>("once", "").error().code() == freshet::Condition::no_responders;
    }));
    CHECK(received == 1);
    CHECK(broker.stop());
}
