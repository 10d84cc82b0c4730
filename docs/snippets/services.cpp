// SPDX-License-Identifier: Apache-2.0
// The code of docs/services.md.
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>
#include <freshet/testing.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::shown;

namespace {

struct Add {
    int a = 0;
    int b = 0;
};
struct Sum {
    int value = 0;
};
FRESHET_JSON(Add, a, b);
FRESHET_JSON(Sum, value);

Sum add(const Add& numbers) { return {numbers.a + numbers.b}; }

struct Servers {
    const NatsServer server{};
    freshet::Broker broker{{.servers = {server.url()}}};
    freshet::Broker client{{.servers = {server.url()}}};

    Servers() { client.start(); }
};

}  // namespace

TEST_CASE_METHOD(Servers, "services: a service and its endpoints") {
    // [service]
    auto calc = broker.service<"calc", "1.2.0">(
        {.about = {.text = "Adds numbers"}, .metadata = {{"team", "billing"}}});
    calc.endpoint<"calc.add">().handle(add);

    auto admin = calc.group<"calc.admin.">({.queue = "admin"});
    admin.endpoint<"reset">().handle([calc](std::string_view) mutable {
        calc.reset();
        return freshet::Response<>{};
    });
    // [service]
    broker.start();
    CHECK(client.request<Sum>("calc.add", Add{1, 2}).value == 3);
    client.request<void>("calc.admin.reset", "");
    std::string printed;
    // [find]
    for (const auto& info : client.services().info("calc"))
        for (const auto& endpoint : info.endpoints)
            printed += info.service.name + ' ' + endpoint.name + " on " + endpoint.subject + '\n';
    // [find]
    CHECK(printed == shown(R"(
// [found]
calc calc_add on calc.add
calc reset on calc.admin.reset
// [found]
)") + "\n");
    // [ask]
    const auto services = client.services();
    const auto running = services.ping();                             // every instance of every service
    const auto instances = services.stats("calc");                    // those of one service
    const auto one = services.info("calc", running.at(0).id).at(0);  // one instance
    // [ask]
    CHECK(running.size() == 1);
    CHECK(instances.at(0).endpoints.size() == 2);
    CHECK(one == calc.info());
}

TEST_CASE_METHOD(Servers, "services: names") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    // [names]
    calc.endpoint<"calc.add">().handle(add);                     // calc_add
    calc.group<"calc.">().endpoint<"sum">().handle(add);         // sum
    calc.endpoint<"quotes.{symbol}", "quote">().handle(add);     // quote
    calc.endpoint("calc.more", {.name = "more"}).handle(add);    // more; start() checks it
    // [names]
    std::string names;
    for (const auto& endpoint : calc.info().endpoints) names += endpoint.name + ' ';
    CHECK(names == "calc_add sum quote more ");
}

TEST_CASE_METHOD(Servers, "services: what a group shares") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    int calls = 0;
    // [group]
    calc.use([&](freshet::Context& context, freshet::Next next) {
        ++calls;
        return next(context);
    });
    auto tenants = calc.group<"calc.{tenant}.">();
    tenants.on_error<std::out_of_range>(404, "no such key");
    tenants.endpoint<"get.{key}">().handle([](freshet::Path<"tenant"> tenant, freshet::Path<"key"> key) {
        if (*key == "none") throw std::out_of_range{"none"};
        return std::string{*tenant} + '/' + std::string{*key};
    });
    // [group]
    broker.start();
    CHECK(client.request<std::string>("calc.acme.get.a", "") == "acme/a");
    CHECK(client.try_request<std::string>("calc.acme.get.none", "").error().remote_code() == 404);
    CHECK(calls == 2);
}

TEST_CASE_METHOD(Servers, "services: statistics") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.divide">().handle([](const Add& numbers) {
        if (numbers.b == 0) throw freshet::RemoteError{422, "cannot divide by 0"};
        return Sum{numbers.a / numbers.b};
    });
    broker.start();
    CHECK_FALSE(client.try_request<Sum>("calc.divide", Add{1, 0}));
    CHECK(eventually([&] { return calc.stats().endpoints[0].num_requests == 1; }));
    // [stats]
    const freshet::EndpointStats divide = client.services().stats("calc").at(0).endpoints.at(0);
    const bool failed = divide.num_errors == 1 && divide.last_error == "422:cannot divide by 0";
    // [stats]
    CHECK(failed);
    CHECK(divide.average_processing_time == divide.processing_time);
}

TEST_CASE("services: in a test") {
    // [test]
    freshet::Broker broker;
    broker.service<"calc", "1.2.0">({}).endpoint<"calc.add">().handle(add);
    freshet::testing::TestBroker test{broker};

    CHECK(test.request<Sum>("calc.add", Add{1, 2}).value == 3);
    const auto calc = test.client().services().stats("calc").at(0);
    CHECK(calc.endpoints.at(0).num_requests == 1);
    // [test]
}
