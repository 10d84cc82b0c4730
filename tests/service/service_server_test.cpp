// SPDX-License-Identifier: Apache-2.0
// Services on a nats-server while their handlers are busy, slow or stopping, and without the rights that they need.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/service.hpp>

#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::NatsServer;

namespace {

Sum add(const Add& numbers) { return {numbers.a + numbers.b}; }

/// Handlers that wait until the test lets them go.
struct Gate {
    std::atomic<int> waiting = 0;
    std::atomic<bool> open = false;

    void pass() {
        ++waiting;
        open.wait(false);
    }
    void let_go() {
        open = true;
        open.notify_all();
    }
};

struct Servers {
    const NatsServer server{};
    testing::LogLines log = {};
    Gate gate = {};  // before the brokers, whose handlers use it
    Broker broker{{.servers = {server.url()}, .logger = log.logger()}};
    Broker client{{.servers = {server.url()}, .logger = log.logger()}};

    Servers() { client.start(); }
    ~Servers() { gate.let_go(); }
};

}  // namespace

TEST_CASE_METHOD(Servers, "a service is found while its handlers hold every delivery thread") {
    const auto threads = std::max(2U, std::thread::hardware_concurrency());
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    for (unsigned i = 0; i < 4 * threads; ++i)
        calc.endpoint("hold." + std::to_string(i)).handle([this](std::string_view) { gate.pass(); });
    broker.start();
    for (unsigned i = 0; i < 4 * threads; ++i) client.publish("hold." + std::to_string(i), "");
    REQUIRE(eventually([&] { return gate.waiting >= static_cast<int>(threads); }));
    const auto services = client.services();
    CHECK(services.ping("calc").size() == 1);
    CHECK(services.info("calc").at(0).endpoints.size() == 4 * threads);
    CHECK(services.stats("calc").at(0).endpoints.at(0).num_requests == 0);  // counted when they end
    gate.let_go();
    CHECK(eventually([&] {
        const auto all = calc.stats().endpoints;
        return std::ranges::all_of(all, [](const auto& one) { return one.num_requests == 1; });
    }));
    CHECK(calc.stats().endpoints.at(0).processing_time > 0ns);
}

TEST_CASE_METHOD(Servers, "a stop ends endpoints first, and the service is found until the last has ended") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.hold">({.dedicated = true}).handle([this](std::string_view) {
        gate.pass();
        return 1;
    });
    calc.endpoint<"calc.add">().handle(add);
    broker.start();
    auto held = client.client<int(std::string_view)>("calc.hold", {.timeout = 20s}).async("");
    REQUIRE(eventually([&] { return gate.waiting == 1; }));
    std::jthread stopping{[&] { broker.stop(20s); }};
    // No new requests are taken, and what was taken is still handled.
    CHECK(eventually([&] {
        const auto answer = client.try_request<Sum>("calc.add", Add{1, 2});
        return !answer && answer.error().code() == Condition::no_responders;
    }));
    CHECK(client.services().ping("calc").size() == 1);
    const auto left = client.services().info("calc").at(0).endpoints;
    CHECK(std::ranges::count(left, "calc_hold", &EndpointInfo::name) == 1);
    gate.let_go();
    CHECK(held.get() == 1);
    stopping.join();
    CHECK(client.services().ping("calc").empty());
    CHECK(client.services().ping().empty());
}

TEST_CASE_METHOD(Servers, "an endpoint that drops requests does not end the service or its other endpoints") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.slow">({.dedicated = true, .max_pending_messages = 1}).handle([this](std::string_view) {
        gate.pass();
    });
    calc.endpoint<"calc.add">({.dedicated = true}).handle(add);
    broker.start();
    for (int i = 0; i < 100; ++i) client.publish("calc.slow", "x");
    client.ping();
    CHECK(eventually([&] { return broker.stats().dropped > 0; }));
    CHECK(client.request<Sum>("calc.add", Add{1, 2}).value == 3);
    const auto stats = client.services().stats("calc").at(0).endpoints;
    CHECK_THAT(stats.at(0).data, ContainsSubstring("\"dropped\":"));
    gate.let_go();
    client.publish("calc.slow", "again");
    CHECK(eventually([&] { return calc.stats().endpoints.at(0).num_requests >= 2; }));
    CHECK(client.services().ping("calc").size() == 1);
}

TEST_CASE_METHOD(Servers, "instances share the requests, each is found, and the others go on when one stops") {
    std::optional<Broker> other;
    other.emplace(BrokerOptions{.servers = {server.url()}, .logger = log.logger()});
    auto one = broker.service({.name = "calc", .version = "1.0.0"});
    auto two = other->service({.name = "calc", .version = "1.0.1"});
    one.endpoint<"calc.add">().handle(add);
    two.endpoint<"calc.add">().handle(add);
    broker.start();
    other->start();
    for (int i = 0; i < 50; ++i) CHECK(client.request<Sum>("calc.add", Add{i, 1}).value == i + 1);
    const auto requests = [](const Service& service) { return service.stats().endpoints.at(0).num_requests; };
    CHECK(eventually([&] { return requests(one) + requests(two) == 50; }));
    CHECK(client.services().ping("calc").size() == 2);
    other->stop();
    CHECK(client.services().ping("calc").size() == 1);
    CHECK(client.request<Sum>("calc.add", Add{1, 1}).value == 2);
}

TEST_CASE_METHOD(Servers, "services come back with the connection") {
    NatsServer own;
    Broker service{{.servers = {own.url()}, .reconnect = {.min_wait = 10ms}, .logger = log.logger()}};
    Broker asking{{.servers = {own.url()}, .reconnect = {.min_wait = 10ms}, .logger = log.logger()}};
    auto calc = service.service({.name = "calc", .version = "1.0.0"});
    service.start();
    asking.start();
    CHECK(asking.services().ping("calc").size() == 1);
    own.stop();
    own.restart();
    CHECK(eventually([&] {
        const auto found = asking.services({.timeout = 500ms}).try_ping("calc");
        return found && found->size() == 1;
    }));
    CHECK(eventually([&] { return service.health().well(); }));
}

TEST_CASE("a service whose user may not subscribe to its discovery subjects does not start, and says which") {
    const NatsServer server{
        {.config = "authorization { users: [ { user: s, password: p, permissions: { subscribe: [\"calc.>\", "
                   "\"$SRV.PING.>\", \"$SRV.PING\"], allow_responses: true } } ] }"}};
    testing::LogLines log;
    Broker broker{{.servers = {server.url("s", "p")}, .logger = log.logger()}};
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.add">().handle(add);
    try {
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::unauthorized);
        CHECK_THAT(error.what(), ContainsSubstring("$SRV.INFO"));
    }
}

TEST_CASE_METHOD(Servers, "a service handle and its endpoints outlive a stop") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    calc.endpoint<"calc.add">().handle(add);
    broker.start();
    CHECK(client.request<Sum>("calc.add", Add{1, 2}).value == 3);
    CHECK(broker.stop());
    CHECK(calc.info().endpoints.empty());
    CHECK_THROWS_AS(calc.endpoint<"calc.late">().handle(add), Error);
    CHECK_THROWS_AS(broker.service({.name = "late", .version = "1.0.0"}), Error);
    CHECK(calc.name() == "calc");
}

TEST_CASE_METHOD(Servers, "a start that fails leaves no service behind") {
    auto calc = broker.service({.name = "calc", .version = "1.0.0"});
    broker.subscriber<"bad">().handle([](Inject<std::string>) {});
    CHECK_THROWS_AS(broker.start(), Error);
    CHECK(client.services().ping().empty());
}

TEST_CASE_METHOD(Servers, "asking for services is refused where it would wait for ever") {
    broker.subscriber<"x">().handle([](std::string_view text) { return std::string{text}; });
    broker.start();
    std::optional<Error> error;
    std::binary_semaphore done{0};
    client.client<std::string(std::string_view)>("x").async("", [&](Expected<std::string>) {
        const auto found = client.services().try_ping();
        if (!found) error = found.error();
        done.release();
    });
    done.acquire();
    REQUIRE(error);
    CHECK(error->code() == Condition::bad_setup);
}
