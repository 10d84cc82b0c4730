// SPDX-License-Identifier: Apache-2.0
// The code of docs/publishing.md.
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "connected.hpp"
#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using snippets::message_of;
using snippets::shown;

namespace {

struct Fixture : snippets::Connected {
    Order order = {"a1", 10};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "publish") {
    auto all = broker.subscriber(">").messages();
    broker.start();
    // [publish]
    broker.publish("orders.eu.created", Order{"a1", 10});  // JSON
    broker.publish("log", "text and bytes as they are");
    broker.publish("orders.eu.created", order, {.headers = {{"tenant", "acme"}}, .reply_to = "billing.answers"});
    // [publish]
    auto message = all.next(20s);
    CHECK(message->subject() == "orders.eu.created");
    CHECK(freshet::decode<Order>(*message).amount == 10);
    CHECK(message->headers().empty());
    CHECK(all.next(20s)->text() == "text and bytes as they are");
    message = all.next(20s);
    CHECK(message->header("tenant") == "acme");
    CHECK(message->reply_to() == "billing.answers");
}

TEST_CASE_METHOD(Fixture, "publish without exceptions") {
    std::vector<std::string> missed;
    // [try]
    if (auto sent = broker.try_publish("orders.eu.created", order); !sent) {
        missed.emplace_back(sent.error().message());
    }
    // [try]
    CHECK(missed == std::vector{shown(R"(
// [closed]
publish on "orders.eu.created": the broker was not started; call start() or run() first
// [closed]
)")});
}

TEST_CASE_METHOD(Fixture, "publishers") {
    auto all = broker.subscriber(">").messages();
    broker.start();
    // [publisher]
    auto orders = broker.publisher<Order, "orders.{region}.created">();
    orders.publish(order, "eu");  // orders.eu.created

    auto shards = broker.publisher<Order>("shard.{n}", {.headers = {{"tenant", "acme"}}});  // checked at run time
    shards.publish(order, 7);                                                               // shard.7
    shards.publish(freshet::PublishOptions{.reply_to = "answers"}, order, 8);               // for this one only
    // [publisher]
    CHECK(all.next(20s)->subject() == "orders.eu.created");
    auto message = all.next(20s);
    CHECK(message->subject() == "shard.7");
    CHECK(message->header("tenant") == "acme");
    message = all.next(20s);
    CHECK(message->subject() == "shard.8");
    CHECK(message->reply_to() == "answers");
    CHECK_FALSE(message->header("tenant"));

    CHECK(orders.try_publish(order, "e.u").error().message() == shown(R"(
// [bad-token]
cannot fill {region} of "orders.{region}.created" with "e.u": a value is one token, not empty and without '.', '*', '>', '{', '}', spaces and control characters
// [bad-token]
)"));
}

TEST_CASE_METHOD(Fixture, "headers") {
    auto all = broker.subscriber(">").messages();
    broker.start();
    // [headers]
    freshet::Headers headers{{"tenant", "acme"}};
    headers.set("attempt", "2");                  // replaces
    headers.add("tag", "new").add("tag", "big");  // a name may occur more than once
    broker.publish("orders", order, {.headers = headers});
    // [headers]
    const auto message = all.next(20s);
    REQUIRE(message);
    CHECK(message->header("attempt") == "2");
    CHECK(message->header_values("tag") == std::vector<std::string_view>{"new", "big"});
    CHECK_FALSE(message->header("Tenant"));
    CHECK(message_of([&] { headers.set("no colon:", ""); }) + "\n" + message_of([&] { headers.set("note", "a\nb"); }) ==
          shown(R"(
// [bad-header]
header "no colon:": a name has only printable ASCII characters, no space and no colon
header "note": the value "a\x0ab" has a line break or a NUL character, which NATS cannot carry
// [bad-header]
)"));
}

TEST_CASE_METHOD(Fixture, "formats") {
    auto all = broker.subscriber(">").messages();
    broker.start();
    // [format]
    broker.publish("orders", order, {.format = freshet::Format::messagepack});
    // [format]
    const auto message = all.next(20s);
    REQUIRE(message);
    CHECK(message->header("content-type") == "application/msgpack");
    CHECK(freshet::decode<Order>(*message).amount == 10);
}

TEST_CASE_METHOD(Fixture, "when the bytes leave") {
    broker.start();
    // [flush]
    broker.publish("alarm", "fire", {.flush = freshet::Flush::now});  // on the socket when it returns
    broker.ping();                                                    // the server has it when this returns
    // [flush]
    CHECK(broker.stats().transport.out_messages >= 1);
}

TEST_CASE_METHOD(Fixture, "correlation") {
    auto audit = broker.subscriber("audit").messages();
    // [correlation]
    broker.subscriber<"orders.created">().handle([](const Order& created, freshet::Broker& out) {
        out.publish("audit", created.id);  // with the correlation_id of the order's message
    });
    // [correlation]
    // [correlation-new]
    broker.subscriber<"orders.imported">().handle([](const Order& imported, freshet::Context& context,
                                                     freshet::Broker& out) {
        context.correlation_id();  // makes one if the message came without
        out.publish("audit", imported.id);
    });
    // [correlation-new]
    broker.start();
    broker.publish("orders.created", order, {.headers = {{"correlation_id", "c-1"}}});
    CHECK(audit.next(20s)->header("correlation_id") == "c-1");
    broker.publish("orders.created", order);
    CHECK_FALSE(audit.next(20s)->header("correlation_id"));
    broker.publish("orders.imported", order);
    CHECK(audit.next(20s)->header("correlation_id"));
}

TEST_CASE_METHOD(Fixture, "full envelope") {
    // [envelope]
    freshet::Broker out{{.servers = {server.url()}, .envelope = freshet::Envelope::full}};
    // [envelope]
    auto all = broker.subscriber(">").messages();
    broker.start();
    out.start();
    out.publish("orders", order);
    const auto message = all.next(20s);
    REQUIRE(message);
    CHECK(message->header("content-type") == "application/json");
    CHECK(message->header("correlation_id"));
}

TEST_CASE_METHOD(Fixture, "what cannot be sent") {
    broker.start();
    CHECK(broker.try_publish("orders.*", order).error().message() == shown(R"(
// [bad-subject]
"orders.*" is not a subject to publish on: wildcard; '*' and '>' are for subscribing only (position 7)
// [bad-subject]
)"));
    const auto limit = broker.server().max_payload;
    const auto sent = broker.try_publish("big", std::string(limit + 1, 'x'));
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code() == freshet::Errc::payload_too_large);
}
