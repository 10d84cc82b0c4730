// SPDX-License-Identifier: Apache-2.0
// The services of examples/ without their main, tested in memory: no server, no sleep.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/core.h>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>
#include <freshet/testing.hpp>

// Each in a namespace of its own: they have names in common.
namespace billing {
#define main billing_main
#include "../../examples/billing/billing.cpp"
#undef main
}  // namespace billing
namespace calc_service {
#define main calc_service_main
#include "../../examples/calc_service/calc_service.cpp"
#undef main
}  // namespace calc_service
namespace rpc {
#define main rpc_main
#include "../../examples/rpc/rpc_server.cpp"
#undef main
}  // namespace rpc
namespace workers {
#define main workers_main
#include "../../examples/workers/worker.cpp"
#undef main
}  // namespace workers
namespace wildcards {
#define main wildcards_main
#include "../../examples/wildcards/audit.cpp"
#undef main
}  // namespace wildcards
namespace shop {
#define main shop_main
#include "../../examples/inject/inject.cpp"
#undef main
}  // namespace shop
namespace errors {
#define main errors_main
#include "../../examples/errors/errors.cpp"
#undef main
}  // namespace errors

using freshet::Condition;
using freshet::Outcome;
using freshet::testing::TestBroker;

TEST_CASE("billing: an order becomes an invoice, published and answered") {
    freshet::Broker broker;
    billing::wire(broker);
    TestBroker test{broker};
    CHECK(test.publish("orders.eu.created", billing::Order{"a1", 10}) == Outcome::ack);
    CHECK(test.published<billing::Invoice>("invoices.eu").at(0).total == 12);
    CHECK(test.request<billing::Invoice>("orders.us.created", billing::Order{"b2", 50}).order_id == "b2");
    CHECK(test.published("invoices.*").size() == 2);
    CHECK(test.publish("orders.eu.created", "{}") == Outcome::term());
}

TEST_CASE("calc_service: it calculates, counts and is found") {
    freshet::Broker broker;
    calc_service::wire(broker);
    TestBroker test{broker};
    CHECK(test.request<calc_service::Result>("calc.add", calc_service::Numbers{1, 2}).value == 3);
    const auto refused = test.try_request<calc_service::Result>("calc.divide", calc_service::Numbers{1, 0});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 422);
    const auto services = test.client().services();
    CHECK(services.info("calc").at(0).endpoints.size() == 3);
    CHECK(services.stats("calc").at(0).endpoints.at(1).last_error == "422:cannot divide by 0");
    test.request<freshet::Message>("calc.admin.reset", "");
    CHECK(services.stats("calc").at(0).endpoints.at(1).num_errors == 0);
}

TEST_CASE("rpc: servers share the divisions, refuse one by zero, and each says what it did") {
    freshet::testing::MemoryServer server;
    freshet::Broker first;
    freshet::Broker second;
    rpc::wire(first);
    rpc::wire(second);
    TestBroker one{first, server};
    TestBroker two{second, server};
    for (int i = 0; i < 4; ++i) CHECK(one.request<rpc::Quotient>("calc.divide", rpc::Division{10, 4}).value == 2.5);
    const auto refused = one.try_request<rpc::Quotient>("calc.divide", rpc::Division{10, 0});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remote_code() == 422);
    std::uint64_t divisions = 0;
    for (const rpc::Status& status : one.client().request_many<rpc::Status>("calc.status", "")) {
        CHECK(status.divisions >= 2);
        divisions += status.divisions;
    }
    CHECK(divisions == 5);
}

TEST_CASE("workers: jobs are shared, the deposits of an account stay in order") {
    const bool threads = GENERATE(false, true);
    freshet::Broker broker;
    workers::wire(broker);
    TestBroker test{broker, {.threads = threads}};
    for (int number = 1; number <= 20; ++number) {
        test.client().publish("jobs.resize", workers::Job{number});
        for (const auto* account : {"ann", "bob"})
            test.client().publish(fmt::format("accounts.{}.deposit", account), workers::Job{number});
    }
    test.run();
    CHECK(test.published<workers::Done>("jobs.resized").size() == 20);
    for (const auto* account : {"ann", "bob"}) {
        int last = 0;
        for (const auto& done : test.published<workers::Done>(fmt::format("accounts.{}.booked", account)))
            CHECK(done.number == ++last);
        CHECK(last == 20);
    }
}

TEST_CASE("wildcards: the audit sees every order, and why it was cancelled") {
    freshet::Broker broker;
    wildcards::wire(broker);
    TestBroker test{broker};
    CHECK(test.publish("orders.eu.42.created", "hello", {.headers = {{"user", "ann"}}}) == Outcome::ack);
    CHECK(test.publish("orders.eu.42.cancelled", "", {.headers = {{"reason", "broken"}}}).size() == 2);
    CHECK(test.deliveries("orders.*.{id}.cancelled") == Outcome::ack);
    test.publish("orders.eu.many.cancelled", "", {.headers = {{"reason", "broken"}}});
    CHECK(test.deliveries("orders.*.{id}.cancelled").back().outcome == Outcome::term());
    CHECK(test.deliveries("orders.>").size() == 3);
}

TEST_CASE("inject: the shop sells what is there") {
    shop::Shop shop;
    freshet::Broker broker;
    broker.provide(std::make_shared<shop::Stock>());
    shop::wire(broker, shop);
    TestBroker test{broker};
    CHECK(test.request<shop::Taken>("stock.apple.take", shop::Take{2}).left == 3);
    CHECK(test.try_request<shop::Taken>("stock.apple.take", shop::Take{4}).error().remote_code() == 409);
    test.replace(std::make_shared<shop::Stock>());
    CHECK(test.request<shop::Taken>("stock.apple.take", shop::Take{4}).left == 1);
    test.fail_next<shop::Stock>();
    CHECK(test.publish("stock.pear.take", shop::Take{1}) == Outcome::nack());
}

TEST_CASE("errors: each failure has its condition") {
    freshet::Broker broker;
    errors::declare_handlers(broker);
    TestBroker test{broker};
    const auto code = [&](std::string_view subject, std::string_view body = "") {
        const auto answer = test.try_request<std::string>(subject, body);
        return answer ? 0 : answer.error().remote_code();
    };
    CHECK(code("throws.remote") == 404);
    CHECK(code("throws.exception") == 500);
    CHECK(code("throws.int") == 500);
    CHECK(code("returns.error") == 404);
    CHECK(code("takes.order", R"({"id": "a1", "amount": "much"})") == 400);
    CHECK(code("takes.path.seven") == 400);
    CHECK(code("takes.header") == 400);
    CHECK(test.try_request<errors::Order>("nobody.home", "").error().code() == Condition::no_responders);
    CHECK(test.try_request<errors::Order>("returns.nothing", "").error().code() == Condition::timeout);
    CHECK(test.try_request<errors::Order>("answers.text", "").error().code() == Condition::bad_payload);
    CHECK_THROWS_AS(test.publish("throws.exception", "").rethrow(), std::runtime_error);
}
