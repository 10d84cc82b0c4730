// SPDX-License-Identifier: Apache-2.0
// The code of docs/from-faststream.md, the same as from_faststream.py beside it.
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../tests/support/process.hpp"
#include "orders.hpp"

namespace js = freshet::js;

struct Store {
    std::map<std::string, Order> orders = {};
};

// [depends]
std::string current_user(freshet::Header<"token"> token) { return "user of " + std::string{*token}; }
// [depends]

// [handler]
void wire_billing(freshet::Broker& broker) {
    broker.subscriber<"orders.{region}.created">({.queue = "billing"})
        .publish_to<"invoices">()
        .handle([](const Order& order, freshet::Path<"region"> region) -> Invoice {
            return {.order_id = order.id, .total = order.amount * (region == "eu" ? 1.2 : 1.1)};
        });
}
// [handler]

// [test]
TEST_CASE("an order is billed") {
    freshet::Broker broker;
    wire_billing(broker);
    freshet::testing::TestBroker test{broker};
    CHECK(test.publish("orders.eu.created", Order{"a1", 10}) == freshet::Outcome::ack);
    CHECK(test.published<Invoice>("invoices").at(0).total == Catch::Approx(12));
}
// [test]

TEST_CASE("the freshet side runs") {
    freshet::Broker broker;
    std::vector<std::string> seen;
    const auto store = std::make_shared<Store>();
    // [fields]
    broker.subscriber<"users.add">().handle([](freshet::Field<"name"> name, freshet::Field<"age", int, 18> age,
                                               freshet::Header<"tenant", std::string, "nobody"> tenant) {
        return *tenant + ": " + *name + " " + std::to_string(age);
    });
    // [fields]
    // [response]
    broker.subscriber<"report">().handle([](freshet::Field<"title"> title, freshet::Field<"pages", int> pages) {
        return freshet::Response{*title + ": " + std::to_string(pages) + " pages", {{"unit", "mm"}}};
    });
    // [response]
    // [whoami]
    broker.subscriber<"whoami">().handle([](freshet::Depends<&current_user> user) { return *user; });
    // [whoami]
    // [inject]
    broker.provide(store);

    broker.subscriber<"orders.put">().handle([](const Order& order, freshet::Inject<Store> orders) {
        orders->orders[order.id] = order;
    });
    // [inject]
    // [router]
    freshet::Router<"v1."> router;
    router.subscriber<"ping">().handle([] { return std::string{"pong"}; });
    broker.include(router);
    // [router]
    // [middleware]
    broker.use([&](freshet::Context& context, freshet::Next next) {
        seen.emplace_back(context.subject());
        return next(context);
    });
    // [middleware]
    // [jetstream]
    const js::Stream jobs{.name = "JOBS", .subjects = {"jobs.>"}};
    broker
        .subscriber<"jobs.*">(js::Pull{
            .stream = jobs, .durable = "worker", .ack_policy = freshet::AckPolicy::nack_on_error})
        .handle([&](const Order& order) { seen.push_back(order.id); });
    // [jetstream]
    freshet::testing::TestBroker test{broker};
    CHECK(test.request<std::string>("users.add", R"({"name":"ann"})") == "nobody: ann 18");
    CHECK(test.request<std::string>("users.add", R"({"name":"bob","age":7})", {.headers = {{"tenant", "acme"}}}) ==
          "acme: bob 7");
    CHECK(test.request<freshet::Message>("report", R"({"title":"t","pages":3})").header("unit") == "mm");
    CHECK(test.request<std::string>("whoami", "", {.headers = {{"token", "t"}}}) == "user of t");
    test.publish("orders.put", Order{"a1", 1});
    CHECK(store->orders.contains("a1"));
    CHECK(test.request<std::string>("v1.ping", "") == "pong");
    broker.jetstream().publish("jobs.one", Order{"j1", 1});
    test.run();
    CHECK(seen.back() == "j1");
}

TEST_CASE("the FastStream side runs") {
    const char* const installed = std::getenv("FRESHET_FASTSTREAM");
    const std::string path = std::string{"PYTHONPATH="} + (installed == nullptr ? "" : installed);
    freshet::testing::Process there{{"/usr/bin/python3", "-c", "import faststream.nats"}, {path}};
    if (there.wait() != 0) SKIP("FastStream is not installed; FRESHET_FASTSTREAM names a directory where it is");
    freshet::testing::Process program{{"/usr/bin/python3", FRESHET_FROM_FASTSTREAM}, {path}};
    const int code = program.wait();
    INFO(program.output());
    CHECK(code == 0);
}
