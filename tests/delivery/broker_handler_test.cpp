// SPDX-License-Identifier: Apache-2.0
// What handlers take and return, over a real server.
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

struct Ledger {
    std::atomic<int> entries = 0;
};

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}, .name = "handlers"}};
};

struct Tenant {
    std::string name = {};
};

}  // namespace

template <>
struct freshet::Extractor<Tenant> {
    static Expected<Tenant> extract(Context& context) {
        const auto name = context.message().header("tenant");
        if (!name) return failure(Errc::missing_header, "no tenant");
        return Tenant{std::string{*name}};
    }
};

TEST_CASE_METHOD(Fixture, "the README's handler: path, logger, body, publish_to and reply") {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, Path<"region"> region, Logger& log) -> Invoice {
            log.info("billing {} in {}", order.id, *region);
            testing::must((region == "eu" || region == "us"));
            return {.order_id = order.id, .total = order.amount * 1.5};
        });
    auto invoices = broker.subscriber("invoices.>").messages();
    broker.start();

    broker.publish("orders.eu.created", Order{"a1", 10});
    const auto published = invoices.next(5s);
    REQUIRE(published);
    CHECK(published->subject() == "invoices.eu");
    CHECK(published->text() == R"({"order_id":"a1","total":15})");

    const auto invoice = broker.request<Invoice>("orders.us.created", Order{"a2", 4});
    CHECK(invoice.order_id == "a2");
    CHECK(invoice.total == 6);
    CHECK(invoices.next(5s)->subject() == "invoices.us");
}

TEST_CASE_METHOD(
    Fixture, "a handler takes path, header, inject, logger, broker, stop token, context, message and body at once") {
    broker.provide(std::make_shared<Ledger>());
    broker.subscriber<"pay.{region}.{id}">().handle(
        [](const Add& body, Path<"region"> region, Path<"id", int> id, Header<"trace"> trace,
           Header<"retries", std::optional<int>> retries, Header<"absent", std::optional<int>> absent,
           Inject<Ledger> ledger, Logger&, Broker& same, std::stop_token stop, Context& context, const Message& message,
           const Tenant& tenant) -> std::string {
            ++ledger->entries;
            CHECK(same.running());
            CHECK_FALSE(stop.stop_requested());
            CHECK(context.path("region") == *region);
            CHECK(context.path("nope") == std::nullopt);
            CHECK(message.subject() == "pay.eu.42");
            return std::string{*region} + "/" + std::to_string(id + 1) + "/" + std::string{*trace} + "/" +
                   std::to_string(retries->value_or(-1)) + "/" + std::to_string(absent->value_or(-1)) + "/" +
                   tenant.name + "/" + std::to_string(body.a + body.b);
        });
    broker.start();
    const auto answer =
        broker.request<std::string>("pay.eu.42", Add{1, 2},
                                    {.headers = {{"trace", "t1"}, {"retries", "3"}, {"tenant", "acme"}}});
    CHECK(answer == "eu/43/t1/3/-1/acme/3");
}

TEST_CASE_METHOD(Fixture, "what a handler returns decides what is answered and published") {
    auto out = broker.subscriber("out.>").messages();
    broker.subscriber<"ret.text">().publish_to<"out.text">().handle([](std::string_view text) {
        return std::string{text} + "!";
    });
    broker.subscriber<"ret.maybe">().publish_to<"out.maybe">().handle([](const Add& add) -> std::optional<Sum> {
        return add.a > 0 ? std::optional{Sum{add.a}} : std::nullopt;
    });
    broker.subscriber<"ret.response">().publish_to<"out.response">().handle([](const Add& add) {
        return Response{Sum{add.b}, {{"colour", "red"}}};
    });
    broker.subscriber<"ret.confirm">().handle([](const Add&) { return Response<>{}; });
    broker.subscriber<"ret.expected">().handle([](const Add& add) -> Expected<Sum> {
        if (add.a < 0) return std::unexpected{RemoteError{422, "a is negative"}};
        return Sum{add.a};
    });
    broker.subscriber<"ret.outcome">().handle([](const Add& add) {
        return add.a > 0 ? Outcome::ack : Outcome::term("no");
    });
    broker.start();

    CHECK(broker.request<std::string>("ret.text", "hello") == "hello!");
    CHECK(out.next(5s)->text() == "hello!");

    CHECK(broker.request<Sum>("ret.maybe", Add{7, 0}).value == 7);
    CHECK(out.next(5s)->text() == R"({"value":7})");
    CHECK(broker.try_request<Sum>("ret.maybe", Add{0, 0}, {.timeout = 100ms}).error().code() == Condition::timeout);

    const auto response = broker.request<Message>("ret.response", Add{0, 9});
    CHECK(response.text() == R"({"value":9})");
    CHECK(response.header("colour") == "red");
    const auto published = out.next(5s);
    CHECK(published->subject() == "out.response");
    CHECK(published->header("colour") == "red");

    broker.request<void>("ret.confirm", Add{});

    CHECK(broker.request<Sum>("ret.expected", Add{5, 0}).value == 5);
    const auto refused = broker.try_request<Sum>("ret.expected", Add{-1, 0});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Condition::remote);
    CHECK(refused.error().remote_code() == 422);
    CHECK(refused.error().message().find("a is negative") != std::string_view::npos);
}

TEST_CASE_METHOD(Fixture, "functions, member functions and callable objects are handlers") {
    struct Counter {
        int base = 100;
        Sum add(const Add& add) { return {base + add.a + add.b}; }
        Sum operator()(const Add& add) const { return {-add.a}; }
    } counter;
    struct Functions {
        static Sum twice(const Add& add) { return {2 * add.a}; }
    };
    broker.subscriber<"f.member">().handle(&Counter::add, counter);
    broker.subscriber<"f.shared">().handle(&Counter::add, std::make_shared<Counter>());
    broker.subscriber<"f.pointer">().handle(&Counter::add, &counter);
    broker.subscriber<"f.unique">().handle(&Counter::add, std::make_unique<Counter>());
    broker.subscriber<"f.object">().handle(counter);
    broker.subscriber<"f.function">().handle(Functions::twice);
    broker.start();
    counter.base = 10;
    CHECK(broker.request<Sum>("f.member", Add{1, 2}).value == 13);
    CHECK(broker.request<Sum>("f.shared", Add{1, 2}).value == 103);
    CHECK(broker.request<Sum>("f.pointer", Add{1, 2}).value == 13);
    CHECK(broker.request<Sum>("f.unique", Add{1, 2}).value == 103);
    CHECK(broker.request<Sum>("f.object", Add{1, 2}).value == -1);
    CHECK(broker.request<Sum>("f.function", Add{4, 2}).value == 8);
}

TEST_CASE_METHOD(Fixture, "raw bodies are views, values of the context stay for one delivery") {
    broker.subscriber<"raw">().handle([](Bytes bytes, Context& context) -> std::string {
        testing::must(context.get<int>() == nullptr);
        context.set(41) += 1;
        testing::must(*context.get<int>() == 42);
        testing::must(bytes.data() == context.message().payload().data());
        return std::to_string(bytes.size());
    });
    broker.start();
    CHECK(broker.request<std::string>("raw", std::string{"a\0b", 3}) == "3");
    CHECK(broker.request<std::string>("raw", "") == "0");
}

TEST_CASE_METHOD(Fixture, "a correlation id travels with what a handler sends") {
    auto out = broker.subscriber("corr.out").messages();
    broker.subscriber<"corr.in">().publish_to<"corr.out">().handle([](std::string_view, Context& context) {
        return std::string{context.correlation_id()};
    });
    broker.subscriber<"corr.plain">().publish_to<"corr.out">().handle([](std::string_view text) {
        return std::string{text};
    });
    broker.start();

    broker.publish("corr.in", "x", {.headers = {{"correlation_id", "c-1"}}});
    auto message = out.next(5s);
    CHECK(message->text() == "c-1");
    CHECK(message->header("correlation_id") == "c-1");

    broker.publish("corr.in", "x");
    message = out.next(5s);
    CHECK(message->text().size() == 22);
    CHECK(message->header("correlation_id") == message->text());

    broker.publish("corr.plain", "x");
    CHECK(out.next(5s)->headers().empty());
}

TEST_CASE("envelope full writes content type and correlation id always") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}, .envelope = Envelope::full}};
    auto out = broker.subscriber("env").messages();
    broker.start();
    broker.publish("env", Add{1, 2});
    const auto message = out.next(5s);
    CHECK(message->header("content-type") == "application/json");
    CHECK(message->header("correlation_id")->size() == 22);
}

TEST_CASE_METHOD(Fixture, "MessagePack and CBOR are chosen by content type, answers follow the request") {
    broker.subscriber<"fmt.add">().handle([](const Add& add) { return Sum{add.a + add.b}; });
    broker.start();
    for (const auto format : {Format::json, Format::messagepack, Format::cbor}) {
        const auto answer = broker.request<Message>("fmt.add", Add{2, 3}, {.format = format});
        CHECK(answer.header("content-type").value_or("application/json") == content_type(format));
        CHECK(broker.request<Sum>("fmt.add", Add{2, 3}, {.format = format}).value == 5);
    }
}

TEST_CASE_METHOD(Fixture, "1000 subscribers on one connection each get their message") {
    constexpr int count = 1000;
    std::vector<std::atomic<int>> received(count);
    std::atomic<int> total = 0;
    for (int i = 0; i < count; ++i) {
        broker.subscriber("many." + std::to_string(i)).handle([&received, &total, i](std::string_view) {
            ++received[static_cast<std::size_t>(i)];
            ++total;
        });
    }
    broker.start();
    auto publisher = broker.publisher<std::string, "many.{n}">();
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < count; ++i) publisher.publish("x", i);
    CHECK(eventually([&] { return total == 3 * count; }, 20s));
    for (const auto& one : received) CHECK(one == 3);
    CHECK(broker.stats().subscribers == count);
    CHECK(broker.stop(20s));
    CHECK(broker.stats().received == 3 * count);
}
