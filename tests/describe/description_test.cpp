// SPDX-License-Identifier: Apache-2.0
// What a broker says of itself.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/describe.hpp>
#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using namespace std::chrono_literals;
using Kind = OperationDescription::Kind;
using Names = std::vector<std::string>;

namespace {

struct Order {
    std::string id = {};
    double amount = 0;
};
FRESHET_JSON(Order, (id, example("a1")), (amount, example(10)));
struct Invoice {
    std::string order_id = {};
};
FRESHET_JSON(Invoice, order_id);
enum class Color { red, green };
FRESHET_ENUM(Color, red, green);

struct Tenant {
    std::string name = {};
};
struct Silent {};
struct Problem {
    std::string why = {};
};
FRESHET_JSON(Problem, why);

Tenant tenant(Header<"tenant"> name) { return {std::string{*name}}; }
void trace(Header<"trace", std::optional<std::string>>) {}

void wire(Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing", .about = {.title = "New orders", .tags = {"x"}}})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, Path<"region">) { return Invoice{order.id}; });
}

}  // namespace

template <>
struct freshet::Extractor<Tenant> {
    static Expected<Tenant> extract(Context&) { return Tenant{}; }
    static void describe(Describer& describer) { describer.header<int>("tenant-id"); }
};
template <>
struct freshet::Extractor<Silent> {
    static Expected<Silent> extract(Context&) { return Silent{}; }
};

TEST_CASE("a subscriber's subject, parameters, queue, messages, answer and publication are described") {
    Broker broker{{.servers = {"nats://localhost:4222"}}};
    wire(broker);
    const auto description = broker.describe();

    const auto* receive = description.operation("receive_orders_region_created");
    REQUIRE(receive != nullptr);
    CHECK(receive->kind == Kind::receive);
    CHECK(receive->channel == "orders.region.created");
    CHECK(receive->queue == "billing");
    CHECK(receive->about.title == "New orders");
    CHECK(receive->messages == Names{"Order"});
    REQUIRE(receive->reply.has_value());
    CHECK(receive->reply->messages == Names{"Invoice", "error"});
    CHECK_FALSE(receive->reply->optional);
    REQUIRE(receive->source.has_value());
    CHECK(receive->source->kind == SourceKind::core);

    const auto* channel = description.channel("orders.region.created");
    REQUIRE(channel != nullptr);
    CHECK(channel->address == "orders.{region}.created");
    CHECK(channel->subject == "orders.*.created");
    CHECK(channel->servers == Names{"nats"});
    REQUIRE(channel->parameters.size() == 1);
    CHECK(channel->parameters[0].name == "region");
    CHECK(channel->parameters[0].schema == R"({"type":"string"})");

    const auto* publish = description.operation("publish_invoices_region");
    REQUIRE(publish != nullptr);
    CHECK(publish->messages == Names{"Invoice"});
    CHECK(publish->caused_by == Names{"receive_orders_region_created"});

    const auto* order = description.message("Order");
    REQUIRE(order != nullptr);
    CHECK(order->type == "Order");
    CHECK(order->body == MessageDescription::Body::typed);
    CHECK(order->schema == R"({"$ref":"#/definitions/Order"})");
    CHECK(order->content_types == Names{"application/json", "application/msgpack", "application/cbor"});
    CHECK(order->examples == Names{R"({"amount":10,"id":"a1"})"});
    REQUIRE(description.schema("Order") != nullptr);
    CHECK(description.without_schema().empty());

    const auto* error = description.message("error");
    REQUIRE(error != nullptr);
    REQUIRE(error->headers.size() == 2);
    CHECK(error->headers[0].name == "Nats-Service-Error");
}

TEST_CASE("parameters and headers have types and allowed values, from wherever they are taken") {
    Broker broker;
    broker.depends<&trace>();
    broker.subscriber<"paint.{id}.{color}">().handle(
        [](Path<"id", int>, Path<"color", Color>, Header<"pages", std::optional<int>>, Depends<&tenant>, Tenant) {});
    const auto description = broker.describe();
    const auto* channel = description.channel("paint.id.color");
    REQUIRE(channel != nullptr);
    REQUIRE(channel->parameters.size() == 2);
    CHECK(channel->parameters[0].schema == R"({"maximum":2147483647,"minimum":-2147483648,"type":"integer"})");
    CHECK(channel->parameters[1].allowed == Names{"red", "green"});

    const auto* receive = description.operation("receive_paint_id_color");
    REQUIRE(receive != nullptr);
    REQUIRE(receive->messages.size() == 1);
    CHECK_FALSE(receive->reply.has_value());
    const auto* message = description.message(receive->messages[0]);
    REQUIRE(message != nullptr);
    CHECK(message->body == MessageDescription::Body::none);
    REQUIRE(message->headers.size() == 4);
    CHECK(message->headers[0].name == "pages");
    CHECK_FALSE(message->headers[0].required);
    CHECK(message->headers[1].name == "tenant");
    CHECK(message->headers[1].required);
    CHECK(message->headers[2].name == "tenant-id");
    CHECK(message->headers[3].name == "trace");
    CHECK_FALSE(message->headers[3].required);
}

TEST_CASE("an enum with FRESHET_ENUM is a parameter that takes its names") {
    Broker broker;
    broker.subscriber<"paint.{color}">().handle([](Path<"color", Color> color) { return std::to_string(int(*color)); });
    testing::TestBroker test{broker};
    CHECK(test.request<std::string>("paint.green", "") == "1");
    CHECK_THROWS(test.request<std::string>("paint.blue", ""));
}

TEST_CASE("the description is the same before and after the start, and in whatever order one declares") {
    Broker one{{.servers = {"nats://localhost:4222"}}};
    wire(one);
    Router router{"billing.{tenant}."};
    router.about({.text = "Bills", .tags = {"billing"}, .deprecated = true});
    router.subscriber<"paid">({.about = {.title = "Paid", .tags = {"x"}}}).handle([](const Invoice&) {});
    one.include(router);
    one.publisher<Order, "orders.{region}.created">({}, {.title = "Orders made here"});
    const auto before = one.describe();

    Broker other{{.servers = {"nats://localhost:4222"}}};
    other.publisher<Order, "orders.{region}.created">({}, {.title = "Orders made here"});
    other.include(router);
    wire(other);
    CHECK(other.describe() == before);

    const auto* paid = before.operation("receive_billing_tenant_paid");
    REQUIRE(paid != nullptr);
    CHECK(paid->about == About{.title = "Paid", .text = "Bills", .tags = {"x", "billing"}, .deprecated = true});
    const auto* publish = before.operation("publish_orders_region_created");
    REQUIRE(publish != nullptr);
    CHECK(publish->about.title == "Orders made here");

    router.subscriber<"late">().handle([](const Invoice&) {});  // describe() has not sealed the router
    const auto with_late = one.describe();
    CHECK(with_late.operation("receive_billing_tenant_late") != nullptr);
    testing::TestBroker test{one};
    CHECK(one.describe() == with_late);
}

TEST_CASE("remote functions are requests with an answer") {
    Broker broker;
    broker.client<Invoice(const Order&)>("invoices.make");
    broker.client<void()>("ping");
    const auto description = broker.describe();
    const auto* request = description.operation("request_invoices_make");
    REQUIRE(request != nullptr);
    CHECK(request->messages == Names{"Order"});
    REQUIRE(request->reply.has_value());
    CHECK(request->reply->messages == Names{"Invoice", "error"});
    REQUIRE(description.operation("request_ping") != nullptr);
    CHECK(description.operation("request_ping")->messages == Names{"empty"});
}

TEST_CASE("streams, consumers, retries and dead letters are described") {
    Broker broker;
    const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}, .max_age = 24h};
    broker
        .subscriber<"orders.{region}">(js::Pull{
            .stream = orders,
            .durable = "billing",
            .consumer = {.ack_wait = 60s},
            .retry = {.max_attempts = 5, .backoff = {1s}, .dead_letter = "dead.orders"},
            .about = {.title = "Orders"}})
        .handle([](const Order&) { return Invoice{}; });
    broker
        .subscriber(js::Pull{.stream = "ORDERS",
                             .durable = "all",
                             .consumer = {.filter_subjects = {"orders.a", "orders.b"}},
                             .batch = {.size = 10}})
        .handle([](std::span<const Order>) {});
    broker.subscriber<"orders.>">(js::Ordered{.stream = "ORDERS"}).handle([](const Message&) {});
    const auto description = broker.describe();

    const auto* receive = description.operation("receive_orders_region");
    REQUIRE(receive != nullptr);
    CHECK(receive->about.title == "Orders");
    CHECK_FALSE(receive->reply.has_value());  // nobody waits for an answer to a stored message
    REQUIRE(receive->source.has_value());
    CHECK(receive->source->kind == SourceKind::pull);
    CHECK(receive->source->stream == "ORDERS");
    CHECK(receive->source->stream_subjects == Names{"orders.>"});
    CHECK(receive->source->consumer == "billing");
    CHECK(receive->source->consumer_settings == R"({"ack_wait":60000000000})");
    CHECK(receive->source->ack_policy == "nack_on_error");
    REQUIRE(receive->source->retry.has_value());
    CHECK(receive->source->retry->max_attempts == 5);

    const auto* dead = description.operation("dead_letter_dead_orders");
    REQUIRE(dead != nullptr);
    CHECK(dead->kind == Kind::dead_letter);
    CHECK(dead->caused_by == Names{"receive_orders_region"});
    REQUIRE(dead->messages.size() == 1);
    const auto* letter = description.message(dead->messages[0]);
    REQUIRE(letter != nullptr);
    CHECK(letter->type == "Order");
    CHECK(std::ranges::count(letter->headers, "Dead-Letter-Reason", &HeaderDescription::name) == 1);

    for (const auto* name : {"receive_orders_a", "receive_orders_b"}) {
        const auto* filtered = description.operation(name);
        REQUIRE(filtered != nullptr);
        CHECK(filtered->batch == 10);
        CHECK(filtered->messages == Names{"Order"});
    }
    REQUIRE(description.streams.size() == 1);
    CHECK(description.streams[0].settings.find(R"("max_age":86400000000000)") != std::string::npos);
    CHECK(description.without_schema() == Names{"receive_orders__: the message is taken as it is"});
}

TEST_CASE("buckets and their watches are described") {
    Broker broker;
    broker.subscriber<"ui.{name}">(kv::Watch{.bucket = "flags", .options = {.history = 3}})
        .handle([](const kv::Entry<Order>&, Path<"name">) {});
    broker.subscriber(obj::Watch{.bucket = "files"}).handle([](const obj::Info&) {});
    broker.kv<Invoice>("invoices");
    const auto description = broker.describe();
    const auto* channel = description.channel("_KV.flags.ui.name");
    REQUIRE(channel != nullptr);
    CHECK(channel->address == "$KV.flags.ui.{name}");
    CHECK(channel->bucket == "flags");
    CHECK(channel->messages == Names{"Order"});
    REQUIRE(description.buckets.size() == 3);
    CHECK(description.buckets[0].name == "flags");
    CHECK(description.buckets[0].messages == Names{"Order"});
    CHECK(description.buckets[0].settings.find(R"("max_msgs_per_subject":3)") != std::string::npos);
    CHECK(description.buckets[1].name == "invoices");
    CHECK(description.buckets[1].messages == Names{"Invoice"});
    CHECK(description.buckets[2].kind == BucketDescription::Kind::object_store);
    CHECK(description.without_schema().empty());
    CHECK(broker.describe() == description);
}

TEST_CASE("several handlers, answers of errors and formats are described") {
    Broker broker{{.format = Format::messagepack}};
    broker.on_error<std::exception>([](const std::exception& e) { return Problem{e.what()}; });
    broker.subscriber<"events">()
        .when(header_is("type", "order"), [](const Order&) { return Invoice{}; })
        .when(header_is("type", "text"), [](std::string_view) {})
        .handle([](const Invoice&) -> std::optional<Invoice> { return std::nullopt; });
    const auto description = broker.describe();
    const auto* receive = description.operation("receive_events");
    REQUIRE(receive != nullptr);
    CHECK(receive->messages == Names{"Invoice", "Order", "bytes"});
    REQUIRE(receive->reply.has_value());
    CHECK(receive->reply->messages == Names{"Problem", "error", "receive_events.reply.Invoice"});
    CHECK(receive->reply->optional);
    CHECK(description.message("Order")->content_types.front() == "application/json");  // without the header
    CHECK(description.message("Problem")->content_types.front() == "application/msgpack");
    CHECK(description.without_schema() == Names{"receive_events: the body is bytes"});
}

TEST_CASE("what says nothing of itself is listed") {
    Broker broker;
    broker.subscriber<"silent">().handle([](Silent) {});
    auto messages = broker.subscriber<"stream">().messages();
    const auto unknown = broker.describe().without_schema();
    REQUIRE(unknown.size() == 2);
    CHECK(unknown[0] ==
          "receive_silent: a parameter \"Silent\" does not tell what it takes; give its Extractor a describe()");
    CHECK(unknown[1] == "receive_stream: the message is taken as it is");
}

TEST_CASE("subscribers of one subject, and subjects with one name, stay apart") {
    Broker broker;
    broker.subscriber<"jobs.{id}">({.queue = "workers"}).handle([](const Order&) {});
    broker.subscriber<"jobs.{id}">().handle([](const Invoice&) {});
    broker.subscriber<"jobs.id">().handle([](const Order&) {});
    const auto description = broker.describe();
    REQUIRE(description.operations.size() == 3);
    CHECK(description.operation("receive_jobs_id_2_workers") != nullptr);
    CHECK(description.channel("jobs.id")->address == "jobs.id");
    CHECK(description.channel("jobs.id_2")->address == "jobs.{id}");
    CHECK(description.channel("jobs.id_2")->messages == Names{"Invoice", "Order"});
}

TEST_CASE("no credentials get into a description") {
    Broker broker{{.servers = {"tls://user:s3cret@example.com", "nats://t0ken@[::1]:4333"}, .name = "billing"}};
    wire(broker);
    const auto description = broker.describe();
    REQUIRE(description.servers.size() == 2);
    CHECK(description.title == "billing");
    CHECK(description.servers[0] == ServerDescription{"billing", "tls", "example.com:4222", "billing"});
    CHECK(description.servers[1] == ServerDescription{"billing_2", "nats", "[::1]:4333", "billing"});
}

TEST_CASE("an App describes all of its brokers") {
    Broker first{
        {.servers = {"nats://one"}, .name = "first", .about = {.title = "Shop", .text = "Sells"}, .version = "1.2.3"}};
    Broker second{{.servers = {"nats://two"}, .name = "second"}};
    wire(first);
    second.subscriber<"orders.{region}.created">().handle([](const Order&) {});
    App app{first, second};
    const auto description = app.describe();
    CHECK(description.title == "Shop");
    CHECK(description.version == "1.2.3");
    CHECK(description.channel("orders.region.created")->servers == Names{"first", "second"});
    CHECK(description.operations.size() == 3);
}

void wire_other_clash(Broker& broker);  // other_clash.cpp

namespace a {
namespace {
struct Clash {
    int x = 0;
};
FRESHET_JSON(Clash, x);
}  // namespace
}  // namespace a
TEST_CASE("two different types of one name are an error that shows both") {
    Broker broker;
    broker.subscriber<"a">().handle([](const a::Clash&) {});
    broker.subscriber<"b">().handle([](const std::vector<a::Clash>&) {});
    CHECK_NOTHROW(broker.describe());
    wire_other_clash(broker);
    try {
        std::ignore = broker.describe();
        FAIL("the clash was not found");
    } catch (const Error& error) {
        CHECK(error.code() == Condition::bad_setup);
        const std::string what = error.what();
        CHECK(what.find("two different types have the name \"a.Clash\"") != std::string::npos);
        CHECK(what.find(R"("x")") != std::string::npos);
        CHECK(what.find(R"("y")") != std::string::npos);
    }
}
