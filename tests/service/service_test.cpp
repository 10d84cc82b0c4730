// SPDX-License-Identifier: Apache-2.0
// Services in memory and on a nats-server: how they are found, what they count, what groups share.
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>

#include "../support/types.hpp"
#include "../testing/both.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Json = nlohmann::json;

namespace {

using Both = freshet::testing::Both;

Sum add(const Add& numbers) { return {numbers.a + numbers.b}; }

/// Waits until the endpoint has counted so many requests: an answer may come before it is counted.
EndpointStats counted(const Service& service, std::size_t endpoint, std::uint64_t requests) {
    CHECK(testing::eventually([&] { return service.stats().endpoints.at(endpoint).num_requests >= requests; }));
    return service.stats().endpoints.at(endpoint);
}

Json asked(testing::TestBroker& test, const std::string& subject) {
    return Json::parse(test.request<std::string>(subject, ""));
}

}  // namespace

TEST_CASE_METHOD(Both, "a service is found on nine subjects") {
    auto calc = broker.service({.name = "calc",
                                .version = "1.2.0",
                                .about = {.title = "Calc", .text = "Adds numbers"},
                                .metadata = {{"team", "billing"}}});
    calc.endpoint<"calc.add">({.about = {.title = "Add"}, .metadata = {{"cost", "low"}}}).handle(add);
    auto& test = start();
    CHECK(test.request<Sum>("calc.add", Add{1, 2}).value == 3);

    const auto names = {std::string{}, std::string{".calc"}, ".calc." + calc.id()};
    for (const auto& name : names) {
        const auto ping = asked(test, "$SRV.PING" + name);
        CHECK(ping == Json{{"type", "io.nats.micro.v1.ping_response"},
                           {"name", "calc"},
                           {"id", calc.id()},
                           {"version", "1.2.0"},
                           {"metadata", {{"team", "billing"}}}});
        const auto info = asked(test, "$SRV.INFO" + name);
        CHECK(info["type"] == "io.nats.micro.v1.info_response");
        CHECK(info["description"] == "Adds numbers");
        REQUIRE(info["endpoints"].size() == 1);
        const auto& endpoint = info["endpoints"][0];
        CHECK(endpoint["name"] == "calc_add");
        CHECK(endpoint["subject"] == "calc.add");
        CHECK(endpoint["queue_group"] == "q");
        CHECK(endpoint["metadata"]["cost"] == "low");
        CHECK(endpoint["metadata"]["description"] == "Add");
        CHECK(endpoint["metadata"]["content-type"] == "application/json");
        const auto stats = asked(test, "$SRV.STATS" + name);
        CHECK(stats["type"] == "io.nats.micro.v1.stats_response");
        CHECK_THAT(stats["started"].get<std::string>(), ContainsSubstring("T") && Catch::Matchers::EndsWith("Z"));
        CHECK(stats["endpoints"][0]["subject"] == "calc.add");
        CHECK(stats["endpoints"][0]["processing_time"].is_number_integer());
        CHECK(stats["endpoints"][0]["last_error"] == "");
    }
    CHECK(test.try_request<std::string>("$SRV.PING.other", "").error().code() == Condition::no_responders);
    CHECK(test.try_request<std::string>("$SRV.PING.calc.other", "").error().code() == Condition::no_responders);
}

TEST_CASE_METHOD(Both, "others are asked with types") {
    auto calc = broker.service({.name = "calc", .version = "1.2.0", .metadata = {{"team", "billing"}}});
    calc.endpoint<"calc.add">().handle(add);
    auto other = broker.service({.name = "other", .version = "0.1.0"});
    auto& test = start();
    const auto services = test.client().services();

    const auto all = services.ping();
    REQUIRE(all.size() == 2);
    CHECK(all[0] == ServiceId{"calc", calc.id(), "1.2.0", {{"team", "billing"}}});
    CHECK(all[1].name == "other");
    REQUIRE(services.info("calc").size() == 1);
    CHECK(services.info("calc")[0] == calc.info());
    CHECK(services.stats("other", other.id()).at(0) == other.stats());
    CHECK(services.ping("nobody").empty());
    CHECK(services.ping("calc", "nobody").empty());
    CHECK(broker.services().ping().size() == 2);  // its own, too
    CHECK(services.try_ping("a.b").error().code() == Condition::bad_setup);
    CHECK_THAT(services.try_info("", "id").error().what(), ContainsSubstring("an id needs the name"));
}

TEST_CASE_METHOD(Both, "a service with a prefix of its own is found there only") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0", .prefix = "acme.srv"});
    auto& test = start();
    CHECK(test.client().services({.prefix = "acme.srv"}).ping("calc").size() == 1);
    CHECK(test.client().services().ping("calc").empty());
}

TEST_CASE_METHOD(Both, "an endpoint counts requests, errors and time") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.divide">().handle([](const Add& numbers) -> Sum {
        if (numbers.b == 0) throw RemoteError{422, "cannot divide by 0"};
        if (numbers.b < 0) throw std::runtime_error{"secret table"};
        return {numbers.a / numbers.b};
    });
    calc.endpoint<"calc.nothing">().handle([](std::string_view) { return Outcome::term("not today"); });
    calc.endpoint<"calc.event">().handle([](std::string_view) {});
    auto& test = start();
    CHECK(calc.stats().endpoints.at(0).num_requests == 0);

    CHECK(test.request<Sum>("calc.divide", Add{6, 2}).value == 3);
    CHECK(test.try_request<Sum>("calc.divide", Add{6, 0}).error().remote_code() == 422);
    auto one = counted(calc, 0, 2);
    CHECK(one.num_requests == 2);
    CHECK(one.num_errors == 1);
    CHECK(one.last_error == "422:cannot divide by 0");
    CHECK(one.average_processing_time == one.processing_time / 2);

    CHECK_FALSE(test.try_request<Sum>("calc.divide", Add{6, -1}));
    CHECK(counted(calc, 0, 3).last_error == "500:internal error");  // everybody can read it
    CHECK_FALSE(test.try_request<Sum>("calc.divide", "{"));         // refused before the handler
    one = counted(calc, 0, 4);
    CHECK(one.num_errors == 3);
    CHECK_THAT(one.last_error, ContainsSubstring("400:"));

    CHECK_FALSE(test.try_request<Sum>("calc.nothing", ""));
    CHECK(counted(calc, 1, 1).last_error == "500:not today");
    test.publish("calc.event", "x");
    CHECK(counted(calc, 2, 1).num_errors == 0);

    const auto before = calc.stats().started;
    calc.reset();
    one = calc.stats().endpoints.at(0);
    CHECK(one.num_requests == 0);
    CHECK(one.num_errors == 0);
    CHECK(one.last_error.empty());
    CHECK(one.processing_time == 0ns);
    CHECK(calc.stats().started >= before);
    CHECK(test.request<Sum>("calc.divide", Add{6, 2}).value == 3);
    CHECK(counted(calc, 0, 1).num_requests == 1);
}

TEST_CASE("the time of a request is that of its handler, also while another one is handled within it") {
    Broker broker;
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"inner">().handle([](std::string_view, Context& context) {
        context.clock().run_until(context.clock().now() + 2s, [] { return false; });
        return 1;
    });
    calc.endpoint<"outer">().handle([](std::string_view, Broker& self, Context& context) {
        context.clock().run_until(context.clock().now() + 1s, [] { return false; });
        return self.request<int>("inner", "", {.timeout = 10s});
    });
    testing::TestBroker test{broker};
    CHECK(test.request<int>("outer", "", {.timeout = 20s}) == 1);
    CHECK(calc.stats().endpoints.at(0).processing_time == 2s);
    CHECK(calc.stats().endpoints.at(1).processing_time == 3s);
}

TEST_CASE_METHOD(Both, "queue groups come from the endpoint, its groups and the service") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0", .queue = "c"});
    calc.endpoint<"a">().handle(add);
    calc.endpoint<"b">({.queue = ""}).handle(add);
    auto admin = calc.group<"admin.">({.queue = "admin"});
    admin.endpoint<"c">().handle(add);
    admin.endpoint<"d">({.queue = "own"}).handle(add);
    admin.group<"keys.">().endpoint<"e">().handle(add);
    admin.group<"all.">({.queue = ""}).endpoint<"f">().handle(add);
    start();
    std::string queues;
    for (const auto& endpoint : calc.info().endpoints) queues += endpoint.name + '=' + endpoint.queue_group + ' ';
    CHECK(queues == "a=c b= c=admin d=own e=admin f= ");
}

namespace {

struct Tenant {
    std::string name;
};
Tenant tenant(Header<"tenant"> header) { return {std::string{*header}}; }

}  // namespace

TEST_CASE_METHOD(Both, "an endpoint is a subscriber: middleware, dependencies, errors, objects, parameters") {
    std::string seen;
    const auto trace = [&](const char* who) {
        return [&seen, who](Context& context, Next next) {
            seen += who;
            return next(context);
        };
    };
    broker.provide(std::make_shared<std::string>("injected"));
    broker.use(trace("broker "));
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.use(trace("service ")).on_error<std::out_of_range>(404, "no such number");
    auto admin = calc.group<"admin.{region}.">();
    admin.use(trace("group "));
    admin.endpoint<"get.{number}">()
        .use(trace("endpoint"))
        .handle([](Path<"region"> region, Path<"number", int> number, Depends<&tenant> who,
                   Inject<std::string> text) -> std::string {
            if (*number > 9) throw std::out_of_range{"10"};
            return std::string{*region} + ' ' + std::to_string(*number) + ' ' + who->name + ' ' + *text;
        });
    auto& test = start();
    const RequestOptions options{.headers = {{"tenant", "acme"}}};
    CHECK(test.request<std::string>("admin.eu.get.7", "", options) == "eu 7 acme injected");
    CHECK(seen == "broker service group endpoint");
    CHECK(test.try_request<std::string>("admin.eu.get.10", "", options).error().remote_code() == 404);
    CHECK(counted(calc, 0, 2).last_error == "404:no such number");
    CHECK(test.try_request<std::string>("admin.eu.get.7", "").error().remote_code() == 400);  // without its header
    CHECK(counted(calc, 0, 3).num_errors == 2);
    CHECK_THROWS_AS(calc.use(trace("late")), Error);
    CHECK_THROWS_AS(calc.on_error<std::runtime_error>(500), Error);
}

TEST_CASE_METHOD(Both, "middleware of publications leaves the answers to those who look for services alone") {
    broker.use_publish([](Outgoing& out, NextPublish next) {
        out.headers.set("changed", "yes");
        return next(out);
    });
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.add">().handle(add);
    auto& test = start();
    CHECK(test.request<Message>("calc.add", Add{1, 2}).header("changed") == "yes");
    CHECK_FALSE(test.request<Message>("$SRV.PING.calc", "").header("changed"));
}

TEST_CASE_METHOD(Both, "services and endpoints may come while the broker runs, and endpoints may go") {
    auto& test = start();
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    CHECK(test.client().services().ping("calc").size() == 1);
    CHECK(calc.info().endpoints.empty());
    auto adds = calc.endpoint<"calc.add">().handle(add);
    CHECK(test.request<Sum>("calc.add", Add{1, 2}).value == 3);
    CHECK_THROWS_AS(calc.endpoint("calc.sum", {.name = "calc_add"}).handle(add), Error);
    CHECK_THROWS_AS(broker.service({.name = "calc", .version = "1"}), Error);
    CHECK(test.client().services().info("calc").at(0).endpoints.size() == 1);
    adds.stop();
    CHECK(test.client().services().info("calc").at(0).endpoints.empty());
    calc.endpoint("calc.sum", {.name = "calc_add"}).handle(add);  // the name is free again
    CHECK(test.request<Sum>("calc.sum", Add{1, 2}).value == 3);
}

TEST_CASE_METHOD(Both, "a service may be declared in one expression, and kept by its own handler") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.reset">().handle([calc](std::string_view) mutable {
        calc.reset();
        return calc.name();
    });
    broker.service<"other", "1.0.0">({}).group<"other.">().endpoint<"add">().handle(add);
    auto& test = start();
    CHECK(test.request<std::string>("calc.reset", "") == "calc");
    CHECK(test.request<Sum>("other.add", Add{1, 2}).value == 3);
}
