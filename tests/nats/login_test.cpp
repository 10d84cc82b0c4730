// SPDX-License-Identifier: Apache-2.0
// A user loses its login while its program runs: it expires, is revoked, is deleted. The program tells why, once, asks
// for its credentials again, and goes on when they are good.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/credentials.hpp"
#include "../support/jwt.hpp"
#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = ConnectionEvent::Kind;

namespace {

constexpr ReconnectOptions quick{.min_wait = 1ms, .max_wait = 20ms};

/// A moment that is soon over, in the whole seconds of a JWT.
std::chrono::system_clock::time_point soon() { return std::chrono::system_clock::now() + 2s; }

void write(const std::filesystem::path& path, std::string_view content) {
    const auto part = path.string() + ".part";
    std::ofstream{part} << content;
    std::filesystem::rename(part, path);
}

bool any_contains(const EventLog& events, Kind kind, const std::string& text) {
    for (const auto& event : events.all())
        if (event.kind == kind && event.detail.find(text) != std::string::npos) return true;
    return false;
}

/// Every reason was told once, and nothing was told of what the reconnect has dealt with.
void check_told_once(const EventLog& events) {
    std::map<std::string, int> times;
    for (const auto& event : events.all())
        if (event.kind == Kind::waiting || event.kind == Kind::disconnected) ++times[event.detail];
    for (const auto& [detail, count] : times) {
        INFO(detail);
        CHECK(count == 1);
    }
    CHECK(events.count(Kind::error) == 0);
}

void echo(Broker& broker) {
    broker.subscriber<"echo">().handle([](const std::string& text) { return text; });
}
bool works(Broker& broker) { return broker.try_request<std::string>("echo", "x").has_value(); }

/// Counts the logins that the server has refused.
std::size_t refused(const NatsServer& server) {
    const auto log = server.log();
    std::size_t count = 0;
    for (auto at = log.find("authentication error"); at != std::string::npos;
         at = log.find("authentication error", at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("a JWT that expires is told as the reason, asked for again, and a new one is taken") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    NatsServer server{{.config = issuer.config()}};
    std::atomic<int> asked = 0;
    std::mutex mutex;
    auto jwt = issuer.user_jwt(user, soon());
    const auto give = [&] {
        ++asked;
        const std::lock_guard lock{mutex};
        return jwt;
    };
    EventLog events;
    LogLines log;
    Broker broker{{.servers = {server.url()},
                   .credentials = JwtCallback{give, [user](std::string_view nonce) { return user.sign(nonce); }},
                   .reconnect = quick,
                   .logger = log.logger(),
                   .on_event = events.sink()}};
    echo(broker);
    broker.start();
    CHECK(works(broker));
    const int at_start = asked;

    REQUIRE(events.wait_for(Kind::disconnected));
    CHECK_THAT(events.last(Kind::disconnected).detail,
               ContainsSubstring("127.0.0.1:" + std::to_string(server.port())) &&
                   ContainsSubstring("as the JWT of JwtCallback") && ContainsSubstring("Authentication Expired"));
    // In the last second of its life the server takes it now and then, and ends the connection at once.
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "JwtCallback: Authorization Violation"); }));
    CHECK(any_contains(events, Kind::waiting, "will not pass by itself"));
    const auto until_now = refused(server);
    const auto told = events.all().size();
    const auto lines = log.all().size();
    REQUIRE(eventually([&] { return refused(server) > until_now + 30; }));
    CHECK(events.all().size() <= told + 1);  // the loss may be told after the first failure
    CHECK(log.all().size() <= lines + 1);
    CHECK(asked > at_start + 20);
    const auto health = broker.health();
    CHECK(health.state == Health::State::reconnecting);
    CHECK_THAT(health.reason, ContainsSubstring("Authentication Expired"));
    CHECK_FALSE(health.unreachable.empty());
    {
        const std::lock_guard lock{mutex};
        jwt = issuer.user_jwt(user);
    }
    CHECK(eventually([&] { return works(broker); }));
    CHECK(eventually([&] { return broker.health().well(); }));
    CHECK(events.count(Kind::error) == 0);
}

TEST_CASE("a JWT that is replaced in time is asked for when the old one expires, whose end is told all the same") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    NatsServer server{{.config = issuer.config()}};
    const auto path = server.directory() / "user.creds";
    write(path, creds_content(issuer.user_jwt(user, soon()), user.seed()));
    EventLog events;
    Broker broker{{.servers = {server.url()},
                   .credentials = CredsFile{path.string()},
                   .reconnect = quick,
                   .on_event = events.sink()}};
    echo(broker);
    broker.start();
    write(path, creds_content(issuer.user_jwt(user), user.seed()));
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(eventually([&] { return works(broker); }));
    CHECK_THAT(events.last(Kind::disconnected).detail, ContainsSubstring("Authentication Expired"));
    check_told_once(events);
}

TEST_CASE("values that a file's line end follows are taken as JWT and seed") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    NatsServer server{{.config = issuer.config()}};
    const auto jwt = issuer.user_jwt(user) + "\n";
    const auto starts = [&](Credentials credentials) {
        Broker broker{{.servers = {server.url()}, .credentials = std::move(credentials), .start_timeout = 0ms}};
        CHECK_NOTHROW(broker.start());
    };
    starts(JwtAndSeed{jwt, " " + user.seed() + "\r\n"});
    starts(JwtCallback{[&] { return jwt; }, [user](std::string_view nonce) { return user.sign(nonce); }});
    NatsServer with_nkey{{.config = "authorization { users: [ { nkey: " + user.public_key() + " } ] }"}};
    Broker broker{{.servers = {with_nkey.url()}, .credentials = NkeySeed{user.seed() + "\n"}, .start_timeout = 0ms}};
    CHECK_NOTHROW(broker.start());
}

TEST_CASE("a user who is revoked, and one whose account is deleted, are told so, and come back when that is undone") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    for (const bool revoke : {true, false}) {
        INFO("revoked: " << revoke);
        NatsServer server{{.config = issuer.config()}};
        EventLog events;
        Broker broker{{.servers = {server.url()},
                       .credentials = JwtAndSeed{issuer.user_jwt(user), user.seed()},
                       .reconnect = quick,
                       .on_event = events.sink()}};
        echo(broker);
        broker.start();
        server.restart({.config = revoke ? issuer.config(&user) : issuer.config_without_account()});
        REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "refused the JWT"); }));
        REQUIRE(eventually([&] { return refused(server) > 10; }));
        check_told_once(events);
        server.restart({.config = issuer.config()});
        CHECK(eventually([&] { return works(broker); }));
    }
}

// The server closes the connection without a word then.
TEST_CASE("a user who is deleted by a reload is told so, and comes back when it is there again") {
    const auto with = [](const std::string& user) {
        return ServerOptions{.config = "authorization { users: [ { user: " + user + ", password: pw } ] }"};
    };
    NatsServer server{with("bob")};
    EventLog events;
    Broker broker{{.servers = {server.url()},
                   .credentials = UserPassword{"bob", "pw"},
                   .reconnect = quick,
                   .connect_timeout = 10min,  // nothing waits for as long
                   .on_event = events.sink()}};
    echo(broker);
    broker.start();
    server.reload(with("alice"));
    REQUIRE(events.wait_for(Kind::disconnected));
    CHECK_THAT(events.last(Kind::disconnected).detail, ContainsSubstring("as user \"bob\" was lost"));
    REQUIRE(eventually([&] { return refused(server) > 10; }));
    CHECK(any_contains(events, Kind::waiting, "refused user \"bob\": Authorization Violation"));
    check_told_once(events);
    server.reload(with("bob"));
    CHECK(eventually([&] { return works(broker); }));
}

TEST_CASE("a connection that is closed for good says why the server ended it, or why no server takes it") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    for (const auto& reconnect :
         {ReconnectOptions{.enabled = false}, ReconnectOptions{.max_attempts = 3, .min_wait = 1ms, .max_wait = 1ms}}) {
        INFO("reconnects: " << reconnect.enabled);
        NatsServer server{{.config = issuer.config()}};
        EventLog events;
        Broker broker{{.servers = {server.url()},
                       .credentials = JwtAndSeed{issuer.user_jwt(user, soon()), user.seed()},
                       .reconnect = reconnect,
                       .on_event = events.sink()}};
        std::string why;
        try {
            broker.run();
        } catch (const Error& error) { why = error.what(); }
        const std::string text = reconnect.enabled ? "Authorization Violation" : "Authentication Expired";
        CHECK_THAT(why, ContainsSubstring("closed for good") && ContainsSubstring(text));
        CHECK_THAT(events.last(Kind::closed).detail, ContainsSubstring(text));
        CHECK_THAT(broker.health().reason, ContainsSubstring(text));
    }
}

TEST_CASE(
    "a seed file with another nkey is named while the connection is made again, and the first one is taken again") {
    const auto with = [](const Nkey& user) {
        return ServerOptions{.config = "authorization { users: [ { nkey: " + user.public_key() + " } ] }"};
    };
    const Nkey first{Nkey::Of::user, 7};
    const Nkey second{Nkey::Of::user, 8};
    NatsServer server{with(first)};
    const auto path = server.directory() / "user.nk";
    write(path, first.seed());
    EventLog events;
    Broker broker{{.servers = {server.url()},
                   .credentials = NkeyFile{path.string()},
                   .reconnect = quick,
                   .on_event = events.sink()}};
    echo(broker);
    broker.start();
    write(path, second.seed());
    server.restart(with(second));
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "holds another nkey than at the start"); }));
    for (const auto& event : events.all()) CHECK_THAT(event.detail, !ContainsSubstring(second.seed()));
    write(path, first.seed());
    server.restart(with(first));
    CHECK(eventually([&] { return works(broker); }));
}

TEST_CASE("a signature that comes too late for the server is told as that") {
    const Issuer issuer;
    const Nkey user{Nkey::Of::user, 7};
    NatsServer server{{.config = issuer.config() + "\nauthorization { timeout: 0.2 }", .arguments = {"-D"}}};
    const auto sign = [&](std::string_view nonce) {
        CHECK(eventually([&] { return server.log().find("Authentication Timeout") != std::string::npos; }));
        return user.sign(nonce);
    };
    Broker broker{{.servers = {server.url()},
                   .credentials = JwtCallback{[&] { return issuer.user_jwt(user); }, sign},
                   .start_timeout = 0ms}};
    try {
        broker.start();
        FAIL("start() did not throw");
    } catch (const Error& error) { CHECK_THAT(error.what(), ContainsSubstring("Authentication Timeout")); }
}
