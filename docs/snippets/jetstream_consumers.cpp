// SPDX-License-Identifier: Apache-2.0
// The code of docs/jetstream-consumers.md.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../tests/support/seen.hpp"
#include "connected.hpp"
#include "orders.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::Seen;
namespace js = freshet::js;

namespace {

struct Fixture : snippets::WithStreams {
    Seen seen;

    void bill(const Order& order, std::string_view region) { seen.add(std::string{region} + ' ' + order.id); }
    void report(const freshet::Message& letter) { seen.add("dead: " + std::string{letter.text()}); }
    void store(std::span<const Order> batch) { seen.add(std::to_string(batch.size()) + " orders"); }
    void store(const Order& order) {
        if (order.amount < 0) throw std::runtime_error{"bad amount"};
    }

    freshet::Broker start_other() { return freshet::Broker{{.servers = {server.url()}}}; }
    void publish(const Order& order) { broker.jetstream().publish("orders.eu.created", order); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a worker") {
    // [worker]
    js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
    js::Stream dead{.name = "DEAD", .subjects = {"dead.>"}};  // keeps what could not be handled

    broker
        .subscriber<"orders.{region}.created">(js::Pull{
            .stream = orders,
            .durable = "billing",
            .workers = 8,
            .retry = {.max_attempts = 5, .backoff = {1s, 5s, 30s}, .dead_letter = "dead.orders"}})
        .handle([&](const Order& order, freshet::Path<"region"> region) { bill(order, *region); });
    broker.subscriber<"dead.orders">(js::Pull{.stream = dead, .durable = "operators"})
        .handle([&](const freshet::Message& letter) { report(letter); });
    // [worker]
    broker.start();
    publish({"a1", 10});
    broker.jetstream().publish("orders.eu.created", std::string{"no order"});
    CHECK(seen.wait_for(2));
    auto all = seen.all();
    std::ranges::sort(all);
    CHECK(all == std::vector<std::string>{"dead: no order", "eu a1"});
}

TEST_CASE_METHOD(Fixture, "an ephemeral consumer, a push consumer, an ordered one") {
    {
        auto other = start_other();
        other.start();
        other.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    }
    const auto show = [&](const freshet::Message& message) { seen.add(std::string{message.subject()}); };
    // [ephemeral]
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::fresh}})
        .handle(show);
    // [ephemeral]
    // [push]
    broker.subscriber<"orders.>">(js::Push{.stream = "ORDERS", .durable = "audit", .queue = "auditors"}).handle(show);
    // [push]
    // [ordered]
    broker.subscriber<"orders.>">(js::Ordered{.stream = "ORDERS"}).handle(show);
    // [ordered]
    broker.start();
    publish({"a1", 10});
    CHECK(seen.wait_for(3));
}

TEST_CASE_METHOD(Fixture, "settling in the handler") {
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
    std::atomic<bool> open = false;
    // [settle]
    broker.subscriber<"orders.*.created">(js::Pull{.stream = orders, .durable = "billing"})
        .handle([&](const Order& order, freshet::Context& context) {
            if (order.amount < 0) throw freshet::Reject{"negative amount"};  // never again
            if (!open) throw freshet::Nack{1s};                              // again, in a second
            context.ack_sync();                                              // the server has confirmed it
            bill(order, "once");
        });
    // [settle]
    broker.start();
    publish({"bad", -1});
    publish({"a1", 10});
    CHECK(eventually([&] { return broker.stats().failed >= 2; }));
    open = true;
    CHECK(seen.wait_for(1));
    CHECK(seen.all() == std::vector<std::string>{"once a1"});
}

TEST_CASE_METHOD(Fixture, "no message overtakes one that failed") {
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
    const auto change = [&, failed = false](const Order& order) mutable {
        seen.add(order.id);
        if (!std::exchange(failed, true)) throw std::runtime_error{"not yet"};
    };
    // [strict]
    broker
        .subscriber<"orders.>">(js::Pull{
            .stream = orders, .durable = "in-order", .consumer = {.max_ack_pending = 1}, .retry = {.backoff = {100ms}}})
        .handle(change);
    // [strict]
    broker.start();
    for (const auto* id : {"1", "2", "3"}) publish({id, 1});
    CHECK(seen.wait_for(4));
    CHECK(seen.all() == std::vector<std::string>{"1", "1", "2", "3"});
}

TEST_CASE_METHOD(Fixture, "publishing results") {
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
    {
        auto other = start_other();
        other.start();
        other.jetstream().declare({.name = "INVOICES", .subjects = {"invoices.>"}});
    }
    // [results]
    broker.subscriber<"orders.{region}.created">(js::Pull{.stream = orders, .durable = "billing"})
        .publish_to<"invoices.{region}">({.confirm = true})
        .handle([](const Order& order, freshet::Context& context) {
            context.publish("invoices.audit", order.id);  // confirmed, too; several, in loops, on any subject
            return "invoice for " + order.id;
        });
    // [results]
    // [results-batch]
    broker.subscriber<"orders.>">(js::Pull{.stream = orders, .durable = "each", .batch = {.size = 500, .within = 50ms}})
        .handle([](std::span<const Order> batch, freshet::Context& context) {
            for (std::size_t i = 0; i < batch.size(); ++i)
                context.publish(context.items()[i], "invoices.copy", batch[i].id);
        });
    // [results-batch]
    broker.start();
    publish({"a1", 10});
    const auto invoices = broker.jetstream().stream("INVOICES");
    CHECK(eventually([&] { return invoices.info().state.messages == 3; }));
}

TEST_CASE_METHOD(Fixture, "batches") {
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
    // [batch]
    broker
        .subscriber<"orders.>">(js::Pull{.stream = orders, .durable = "report", .batch = {.size = 500, .within = 50ms}})
        .handle([&](std::span<const Order> batch) { store(batch); });
    // [batch]
    // [items]
    broker.subscriber<"orders.>">(js::Pull{.stream = orders, .durable = "each", .batch = {.size = 500, .within = 50ms}})
        .handle([&](std::span<const Order> batch, freshet::Context& context) {
            for (std::size_t i = 0; i < batch.size(); ++i) {
                try {
                    store(batch[i]);
                } catch (const std::exception& error) { context.items()[i].nack(10s); }
            }
        });
    // [items]
    broker.start();
    publish({"a1", 10});
    publish({"a2", -1});
    CHECK(seen.wait_for(1));
    const auto consumer = broker.jetstream().consumer("ORDERS", "each");
    CHECK(eventually([&] { return consumer.info().ack_floor_stream_sequence == 1; }));
}

TEST_CASE_METHOD(Fixture, "programs that are not services") {
    broker.start();
    broker.jetstream().declare({.name = "ORDERS", .subjects = {"orders.>"}});
    for (const auto* id : {"1", "2", "3", "4", "5", "6"}) publish({id, 1});
    const auto print = [&](std::string_view text) { seen.add(std::string{text}); };
    // [fetch]
    const auto consumer = broker.jetstream().consumer("ORDERS", "report");
    consumer.declare({.filter_subjects = {"orders.*.created"}, .ack_wait = 10s});

    if (auto delivery = consumer.next(1s)) {  // one, if there is one
        print(delivery->message().text());
        delivery->ack();
    }
    for (auto& delivery : consumer.fetch({.messages = 3, .within = 1s})) {  // up to so many
        print(delivery->text());
        delivery.ack();
    }
    for (auto& delivery : consumer.messages()) {  // as they come
        print(delivery->text());
        delivery.ack();
        if (delivery->metadata()->pending == 0) break;
    }
    // [fetch]
    CHECK(seen.count() == 6);
    int left = 3;
    const auto enough = [&] { return --left == 0; };
    // [in-order]
    auto messages = broker.jetstream().ordered({.stream = "ORDERS"});
    for (const freshet::Message& message : messages) {  // every message once, in the stream's order
        print(message.text());
        if (enough()) messages.drain();
    }
    // [in-order]
    CHECK(seen.count() == 12);  // all six were in hand
    // [reset]
    consumer.reset(3);                                       // from message 3 on
    consumer.reset(std::chrono::system_clock::now() - 24h);  // what was stored since yesterday
    consumer.reset();                                        // from the first that is not acknowledged
    // [reset]
    CHECK(consumer.fetch({.messages = 6}).size() == 6);
    // [copy]
    const auto js = broker.jetstream();
    js.declare({.name = "QUEUE", .subjects = {"queue.>"}, .retention = js::Retention::workqueue});
    js.consumer("QUEUE", "copier").declare({.acks = js::Acks::flow_control, .deliver_subject = "copy.queue"});
    js.declare({.name = "COPY",
                .sources = {{.name = "QUEUE",
                             .consumer = js::SourceConsumer{.name = "copier", .deliver_subject = "copy.queue"}}}});
    // [copy]
    // [manage]
    for (const auto& info : broker.jetstream().consumers("ORDERS"))
        print(info.name + ": " + std::to_string(info.pending) + " to be delivered");
    consumer.pause(std::chrono::system_clock::now() + 1h);
    consumer.resume();
    consumer.remove();
    // [manage]
    CHECK(seen.all().back() == "report: 0 to be delivered");
}
