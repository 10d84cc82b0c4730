// SPDX-License-Identifier: Apache-2.0
// The code of docs/testing.md.
#include <chrono>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

// [include]
#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>
// [include]
#include <freshet/jetstream.hpp>
#include <freshet/testing/contract.hpp>

#include "orders.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using snippets::shown;

struct Rate {
    double value = 0;
};
FRESHET_JSON(Rate, value);

// [service]
class Database {
public:
    virtual ~Database() = default;
    virtual void save(const Invoice& invoice) = 0;
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices.{region}">()
        .handle([](const Order& order, freshet::Inject<Database> database, freshet::Broker& self) -> Invoice {
            if (order.amount < 0) throw std::invalid_argument{"a negative amount"};
            const auto rate = self.try_request<Rate>("rates.vat", "", {.timeout = 5s});
            const Invoice invoice{.order_id = order.id, .total = order.amount * (rate ? rate->value : 1.2)};
            database->save(invoice);
            return invoice;
        });
}
// [service]

// [fake]
class FakeDatabase final : public Database {
public:
    void save(const Invoice& invoice) override { saved.insert(invoice.order_id); }
    std::set<std::string> saved = {};
};

struct Fixture {
    Fixture() {
        broker.provide<Database>(database);
        wire(broker);
    }
    std::shared_ptr<FakeDatabase> database = std::make_shared<FakeDatabase>();
    freshet::Broker broker;
};
// [fake]

// [first]
TEST_CASE_METHOD(Fixture, "an order becomes an invoice") {
    freshet::testing::TestBroker test{broker};  // no network, a virtual clock

    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == freshet::Outcome::ack);
    CHECK(test.published<Invoice>("invoices.eu").at(0).total == 12);
    CHECK(database->saved.contains("a1"));
}
// [first]

// [request]
TEST_CASE_METHOD(Fixture, "who asks gets the invoice, or the reason why not") {
    freshet::testing::TestBroker test{broker};

    CHECK(test.request<Invoice>("orders.eu.created", Order{"a1", 10}).total == 12);

    const auto refused = test.try_request<Invoice>("orders.eu.created", Order{"a2", -1});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 500);
    CHECK_THROWS_AS(test.publish("orders.eu.created", Order{"a2", -1}).rethrow(), std::invalid_argument);
    CHECK(test.publish("orders.eu.created", "this is no JSON") == freshet::Outcome::term());
}
// [request]

// [time]
TEST_CASE_METHOD(Fixture, "without an answer from the rates the usual one is taken") {
    broker.subscriber<"rates.vat">().handle([](std::string_view) {});  // there, and silent
    freshet::testing::TestBroker test{broker};

    const auto before = test.now();
    CHECK(test.request<Invoice>("orders.eu.created", Order{"a1", 10}, {.timeout = 1min}).total == 12);
    CHECK(test.now() - before >= 5s);  // of the test's time: it took no time of yours
}
// [time]

// [dependency]
TEST_CASE_METHOD(Fixture, "while the database is away nothing is invoiced") {
    freshet::testing::TestBroker test{broker};

    test.fail_next<Database>(std::runtime_error{"the database is away"});
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == freshet::Outcome::nack());
    CHECK(test.published("invoices.>").empty());

    test.fail_next_publish("invoices.>");
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == freshet::Outcome::nack());

    auto other = std::make_shared<FakeDatabase>();
    test.replace<Database>(other);
    CHECK(test.publish("orders.eu.created", Order{"a2", 10}) == freshet::Outcome::ack);
    CHECK(other->saved.contains("a2"));
}
// [dependency]

// [faults]
TEST_CASE_METHOD(Fixture, "every order is saved once, whatever the network does") {
    freshet::testing::TestBroker test{broker};
    const auto seed = test.random_faults({.duplicate = 0.2, .delay = 0.2, .fail_publish = 0, .disconnect = 0});
    INFO("seed " << seed);

    for (int i = 0; i < 50; ++i) test.publish("orders.eu.created", Order{std::to_string(i), 10});
    test.advance(1min);  // what was delayed arrives
    CHECK(database->saved.size() == 50);
    CHECK(test.published<Invoice>("invoices.eu").size() >= 50);
}
// [faults]

// [server]
TEST_CASE_METHOD(Fixture, "the same against a nats-server") {
    freshet::testing::TestBroker test{broker, freshet::testing::with_server};

    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == freshet::Outcome::ack);
    CHECK(test.published<Invoice>("invoices.eu").at(0).total == 12);
}
// [server]

TEST_CASE_METHOD(Fixture, "a whole program") {
    // [app]
    freshet::App app{broker};
    app.after_startup([](freshet::Broker& own) { own.publish("services.ready", "billing"); });

    freshet::testing::TestApp test{app};
    CHECK(test->published("services.ready").size() == 1);
    CHECK(test->request<Invoice>("orders.eu.created", Order{"a1", 10}).total == 12);
    CHECK(test.stop() == 0);  // shutdown hooks, the ends of the lifespans; what run() would return
    // [app]
}

TEST_CASE("messages lost, doubled, late, and the connection") {
    freshet::Broker broker;
    std::vector<std::string> heard;
    broker.subscriber<"x">().handle([&](std::string_view body) { heard.emplace_back(body); });
    freshet::testing::TestBroker test{broker};
    // [told]
    test.duplicate_next("x");
    test.publish("x", "twice");
    test.delay_next(1s, "x");
    test.publish("x", "late");
    test.publish("x", "overtakes it");
    test.lose_next("x");
    test.publish("x", "lost");
    test.advance(1s);
    test.lose_connection();
    test.publish("x", "waits");  // in the client's buffer
    test.restore_connection();
    CHECK(heard == std::vector<std::string>{"twice", "twice", "overtakes it", "late", "waits"});
    // [told]
}

// [jetstream]
TEST_CASE("an order that fails is tried again, and kept at last") {
    freshet::Broker broker;
    int attempts = 0;
    broker
        .subscriber<"orders.{region}">(freshet::js::Pull{
            .stream = freshet::js::Stream{.name = "ORDERS", .subjects = {"orders.*"}},
            .durable = "billing",
            .retry = {.max_attempts = 3, .backoff = {1s, 5s}, .dead_letter = "dead.orders"}})
        .handle([&](const Order&) {
            ++attempts;
            throw std::runtime_error{"the disk is full"};
        });
    freshet::testing::TestBroker test{broker};
    broker.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});  // keeps the dead letters

    CHECK(test.publish("orders.eu", Order{"a1", 10}) == freshet::Outcome::nack());
    CHECK(attempts == 1);
    test.advance(10s);
    CHECK(attempts == 3);
    CHECK(test.published<Order>("dead.orders").at(0).id == "a1");
}
// [jetstream]

TEST_CASE("brokers on one server") {
    // [shared]
    freshet::testing::MemoryServer server;
    freshet::Broker rates;
    rates.subscriber<"rates.vat">().handle([](std::string_view) { return Rate{1.5}; });
    freshet::Broker billing;
    billing.provide<Database>(std::make_shared<FakeDatabase>());
    wire(billing);

    freshet::testing::TestBroker with_rates{rates, server};
    freshet::testing::TestBroker test{billing, server};
    CHECK(test.request<Invoice>("orders.eu.created", Order{"a1", 10}).total == 15);
    CHECK(with_rates.deliveries("rates.vat") == freshet::Outcome::ack);
    // [shared]
}

TEST_CASE("what a failed check says") {
    Fixture fixture;
    freshet::testing::TestBroker test{fixture.broker};
    std::ostringstream out;
    out << test.publish("orders.eu.craeted", Order{"a1", 10});
    CHECK(out.str() == shown(R"(
// [message]
no subscriber got it
    it was published on orders.eu.craeted; the broker's subscribers: orders.{region}.created
// [message]
)"));
}

TEST_CASE("a nats-server of one's own") {
    // [fixture]
    freshet::testing::Server server{{.user = "ann", .password = "secret"}};
    freshet::Broker broker{{.servers = {server.url()}, .credentials = freshet::UserPassword{"ann", "secret"}}};
    broker.start();
    server.restart();  // also stop(), kill(), pause(), resume(), lame_duck(), reload(options)
    // [fixture]
    CHECK(broker.ping(10s) > 0ns);
}

// [contract]
class MyEnvironment final : public freshet::contract::Environment {
public:
    std::unique_ptr<freshet::Transport> connect(const freshet::BrokerOptions& options) override {
        return server_.connect(options);  // your transport, to a server of its own
    }
    bool eventually(const std::function<bool()>& condition) override {  // only for a clock of one's own
        return server_.clock().run_until(server_.clock().now() + 1min, condition), condition();
    }
    void pass(std::chrono::milliseconds time) override { server_.clock().advance(time); }  // likewise

private:
    freshet::testing::MemoryServer server_ = freshet::testing::MemoryServer{};
};

TEST_CASE("my transport keeps the contract") {
    const auto make = [] { return std::make_unique<MyEnvironment>(); };
    const auto verdicts = freshet::contract::check_all(make);
    CHECK(freshet::contract::broken(verdicts) == "");  // else it says which rule, and what was seen instead
    CHECK(freshet::contract::broken(freshet::contract::check_jetstream(make)) == "");  // of a server with JetStream
}
// [contract]

// [called]
TEST_CASE_METHOD(Fixture, "the order of that region is handled") {
    freshet::testing::TestBroker test{broker};

    test.publish("orders.eu.created", Order{"a1", 10}, {.headers = {{"tenant", "acme"}}});
    CHECK(test.deliveries("orders.{region}.created") ==
          freshet::testing::called_with(Order{"a1", 10},
                                        {.headers = {{"tenant", "acme"}}, .path = {{"region", "eu"}}}));
}
// [called]

TEST_CASE_METHOD(Fixture, "what a failed comparison of calls prints") {
    freshet::testing::TestBroker test{broker};
    test.publish("orders.eu.created", Order{"a1", 10});
    const auto expected =
        freshet::testing::called_with(Order{"a1", 12}, {.headers = {{"tenant", "acme"}}, .path = {{"region", "us"}}});
    CHECK_FALSE(test.deliveries("orders.{region}.created") == expected);
    std::ostringstream out;
    out << expected;
    CHECK(out.str() == shown(R"(
// [called-text]
called with {"id":"a1","amount":12} [tenant: acme] {region}=us
    the one call differs, on orders.eu.created:
        body.amount: 10, expected 12
        header tenant: missing, expected "acme"
        path region: "eu", expected "us"
// [called-text]
)"));
}
