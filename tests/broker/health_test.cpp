// SPDX-License-Identifier: Apache-2.0
// A broker tells whether it is well, and if not, why.
#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/server.hpp"
#include "../support/wait.hpp"
#include "broker/connection_state.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;
using Kind = ConnectionEvent::Kind;
using State = Health::State;

namespace {

Health of(const detail::ConnectionState& connection) {
    Health health{.state = State::running};
    connection.tell(health);
    return health;
}

}  // namespace

TEST_CASE("the events of a connection say how it is, with the last reason of each server") {
    detail::ConnectionState connection;
    connection.on({.kind = Kind::waiting, .detail = "nobody there"});
    CHECK(of(connection).problems() == std::vector<std::string>{"reconnecting: nobody there"});
    connection.on({.kind = Kind::connected});
    CHECK(of(connection).well());
    CHECK(of(connection).problems().empty());

    connection.on({.kind = Kind::disconnected, .detail = "lost"});
    connection.on({.kind = Kind::waiting, .detail = "a: full", .url = "a"});
    connection.on({.kind = Kind::waiting, .detail = "b: refused", .url = "b"});
    connection.on({.kind = Kind::waiting, .detail = "a: gone", .url = "a"});
    CHECK_FALSE(of(connection).well());
    CHECK(of(connection).problems() == std::vector<std::string>{"reconnecting: lost", "a: gone", "b: refused"});
    connection.on({.kind = Kind::error, .detail = "another matter"});
    connection.on({.kind = Kind::reconnected});
    CHECK(of(connection).problems().empty());
    connection.on({.kind = Kind::closed, .detail = "for good"});
    CHECK(of(connection).reason == "for good");
}

TEST_CASE("a broker is well while it runs and is connected, and says why it is not") {
    testing::NatsServer server{{.user = "bob", .password = "old"}};
    Broker broker{{.servers = {server.url()},
                   .credentials = UserPassword{"bob", "old"},
                   .reconnect = {.min_wait = 1ms, .max_wait = 10ms}}};
    broker.subscriber<"orders">().handle([](std::string_view) {});
    CHECK(broker.health().state == State::idle);
    broker.start();
    CHECK(broker.health().well());
    CHECK(broker.health().problems().empty());

    server.restart({.user = "bob", .password = "new"});
    REQUIRE(eventually([&] { return !broker.health().unreachable.empty() && !broker.health().reason.empty(); }));
    const auto away = broker.health();
    CHECK(away.state == State::reconnecting);
    CHECK_FALSE(away.well());
    CHECK_THAT(away.reason, ContainsSubstring("was lost"));
    REQUIRE(eventually([&] {
        const auto health = broker.health();
        return !health.unreachable.empty() &&
               health.unreachable.front().reason.find("Authorization Violation") != std::string::npos;
    }));
    CHECK(broker.health().unreachable.front().server == "127.0.0.1:" + std::to_string(server.port()));

    server.restart({.user = "bob", .password = "old"});
    CHECK(eventually([&] { return broker.health().well(); }));
    broker.stop();
    CHECK(broker.health().state == State::stopped);
    CHECK(broker.health().problems() == std::vector<std::string>{"stopped"});
}

TEST_CASE("a broker whose server is not there says so while it waits, and after it has given up") {
    testing::NatsServer server;
    server.stop();
    Broker broker{{.servers = {server.url()}, .start_timeout = 10min, .critical = false}};
    App app{broker};
    std::jthread program{[&] { app.run(); }};
    REQUIRE(eventually([&] { return !broker.health().unreachable.empty(); }));
    CHECK(broker.health().state == State::starting);
    CHECK_FALSE(broker.health().critical);
    CHECK_THAT(broker.health().unreachable.front().reason, ContainsSubstring("nothing accepts connections"));
    app.exit();
    program.join();

    Broker other{{.servers = {server.url()}, .start_timeout = 0ms}};
    CHECK_THROWS_AS(other.start(), Error);
    CHECK(other.health().state == State::stopped);
    CHECK_THAT(other.health().reason, ContainsSubstring("nothing accepts connections"));
}

TEST_CASE("a broker that stops is not well while its handlers finish") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}}};
    State seen{};
    broker.subscriber<"last">().handle([&](std::stop_token stopping) {
        broker.stop();
        while (!stopping.stop_requested()) std::this_thread::yield();
        seen = broker.health().state;
    });
    broker.start();
    broker.publish("last", "");
    REQUIRE(eventually([&] { return broker.health().state == State::stopped; }));
    CHECK(seen == State::stopping);
}

TEST_CASE("a connection that is closed for good is the reason, and run() throws it") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}, .reconnect = {.enabled = false}}};
    broker.subscriber<"x">().handle([] {});
    std::jthread killer{[&] {
        eventually([&] { return broker.running(); });
        server.kill();
    }};
    try {
        broker.run();
        FAIL("run() did not throw");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::disconnected);
        CHECK_THAT(error.what(), ContainsSubstring("closed for good"));
    }
    CHECK_THAT(broker.health().reason, ContainsSubstring("closed for good"));
}
