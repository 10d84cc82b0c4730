// SPDX-License-Identifier: Apache-2.0
// Subscriptions that the server takes away while the program runs: what becomes of it, and who is told.
#include <chrono>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

/// User bob may subscribe to what the permissions say; user root to everything.
testing::ServerOptions bob_may(const std::string& subscribe) {
    return {.config = "authorization { users: [ { user: root, password: pw }, { user: bob, password: pw, permissions: "
                      "{ publish: \">\", subscribe: { " +
                      subscribe + " } } } ] }"};
}

const auto everything = bob_may("allow: \">\"");
const auto less = bob_may("allow: \">\", deny: [\"orders.*\"]");

BrokerOptions as_bob(const testing::NatsServer& server, bool no_echo = false) {
    return {.servers = {server.url()},
            .credentials = UserPassword{"bob", "pw"},
            .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
            .no_echo = no_echo};
}

/// The right is lost by a restart, after which the server refuses, or by a reload, which takes it away.
enum class How { restart, reload };

void take_right(testing::NatsServer& server, How how) {
    if (how == How::restart) server.restart(less);
    else server.reload(less);
}

}  // namespace

TEST_CASE("a lost subscription is told by health(), the rest goes on, and it comes back with the right") {
    const auto how = GENERATE(How::restart, How::reload);
    const auto queue = GENERATE("", "workers");
    const auto no_echo = GENERATE(false, true);
    CAPTURE(static_cast<int>(how), queue, no_echo);
    testing::NatsServer server{everything};
    Broker broker{as_bob(server, no_echo)};
    broker.subscriber<"orders.{id}">({.queue = queue}).handle([](const std::string&) { return std::string{"order"}; });
    broker.subscriber<"open">().handle([](const std::string&) { return std::string{"open"}; });
    broker.start();
    CHECK(broker.health().well());

    take_right(server, how);
    REQUIRE(eventually([&] { return !broker.health().lost.empty(); }));
    const auto health = broker.health();
    CHECK_FALSE(health.well());
    REQUIRE(health.lost.size() == 1);
    CHECK(health.lost.front().subject == "orders.{id}");
    CHECK(health.lost.front().reason == Errc::unauthorized);
    CHECK_THAT(health.problems().back(),
               ContainsSubstring("subscriber \"orders.{id}\"") && ContainsSubstring("Permissions Violation"));
    Broker caller{{.servers = {server.url()}, .credentials = UserPassword{"root", "pw"}}};
    caller.start();
    REQUIRE(eventually([&] { return caller.try_request<std::string>("open", "x").has_value(); }));
    CHECK(caller.try_request<std::string>("orders.1", "x").error() == Condition::no_responders);

    server.restart(everything);
    REQUIRE(eventually([&] { return caller.try_request<std::string>("orders.1", "x").has_value(); }));
    CHECK(eventually([&] { return broker.health().well(); }));
}

TEST_CASE("with fail_fast an App ends with the reason and code 1 when a subscription is lost") {
    const auto how = GENERATE(How::restart, How::reload);
    testing::NatsServer server{everything};
    testing::LogLines log;
    auto options = as_bob(server);
    options.logger = log.logger();
    Broker broker{options};
    broker.subscriber<"orders.{id}">({.on_lost = OnLost::fail_fast}).handle([](std::string_view) {});
    App app{broker};
    bool could_publish = false;
    app.after_startup([&] { take_right(server, how); });
    app.on_shutdown([&](Broker& own) { could_publish = own.try_publish("leaving", "").has_value(); });
    CHECK(app.run() == 1);
    CHECK(could_publish);
    CHECK_THAT(log.find("is lost"), ContainsSubstring("critical: the subscriber \"orders.{id}\" is lost: the server "
                                                      "refused the subscription"));
    CHECK_THAT(broker.health().reason, ContainsSubstring("orders.{id}"));
}

TEST_CASE("with fail_fast run() of a broker alone throws the reason") {
    testing::NatsServer server{everything};
    Broker broker{as_bob(server)};
    broker.subscriber<"orders.{id}">({.on_lost = OnLost::fail_fast}).handle([](std::string_view) {});
    std::jthread operator_{[&] {
        eventually([&] { return broker.running(); });
        server.reload(less);
    }};
    try {
        broker.run();
        FAIL("run() did not throw");
    } catch (const Error& error) {
        CHECK(error == Errc::unauthorized);
        CHECK_THAT(error.what(), ContainsSubstring("\"orders.{id}\" is lost"));
    }
    CHECK_FALSE(broker.running());
}

TEST_CASE("with fail_fast a server that is away ends nothing, and a refusal at the start is the start's error") {
    testing::NatsServer server{everything};
    Broker broker{as_bob(server)};
    broker.subscriber<"orders.{id}">({.on_lost = OnLost::fail_fast}).handle([](const std::string&) {
        return std::string{"order"};
    });
    broker.start();
    server.restart(everything);
    CHECK(eventually([&] { return broker.try_request<std::string>("orders.1", "x").has_value(); }));
    CHECK(broker.health().well());

    // On a running broker the refusal is the error of handle(), and nothing else.
    server.reload(bob_may("allow: \">\", deny: [\"other\"]"));
    REQUIRE(eventually([&] { return broker.try_request<std::string>("orders.1", "x").has_value(); }));
    CHECK_THROWS_AS(broker.subscriber<"other">({.on_lost = OnLost::fail_fast}).handle([](std::string_view) {}), Error);
    CHECK(broker.running());
    CHECK(broker.health().well());
    broker.stop();

    server.restart(less);
    Broker second{as_bob(server)};
    second.subscriber<"orders.{id}">({.on_lost = OnLost::fail_fast}).handle([](std::string_view) {});
    try {
        second.start();
        FAIL("start() did not throw");
    } catch (const Error& error) { CHECK(error == Errc::unauthorized); }
}

TEST_CASE("a test in memory may take a subscription away") {
    Broker broker;
    broker.subscriber<"orders">().handle([](std::string_view) {});
    broker.subscriber<"vital">({.on_lost = OnLost::fail_fast}).handle([](std::string_view) {});
    testing::TestBroker test{broker};
    CHECK(broker.health().well());
    test.lose_subscriber("orders");
    CHECK(broker.running());
    REQUIRE(broker.health().lost.size() == 1);
    CHECK_THROWS_AS(test.lose_subscriber("nobody"), Error);
    test.lose_subscriber("vital");
    CHECK_FALSE(broker.running());
    CHECK_THAT(broker.health().reason, ContainsSubstring("\"vital\" is lost"));
}
