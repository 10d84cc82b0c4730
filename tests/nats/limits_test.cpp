// SPDX-License-Identifier: Apache-2.0
// Limits of a server, and which of several servers and users a reason is about.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/full_listener.hpp"
#include "../support/loopback.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/wait.hpp"
#include "nats/told_reasons.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = ConnectionEvent::Kind;

namespace {

constexpr ReconnectOptions quick{.min_wait = 1ms, .max_wait = 20ms};

bool any_contains(const EventLog& events, Kind kind, const std::string& text) {
    for (const auto& event : events.all())
        if (event.kind == kind && event.detail.find(text) != std::string::npos) return true;
    return false;
}

std::string start_error(const BrokerOptions& options) {
    Broker broker{options};
    try {
        broker.start();
    } catch (const Error& error) { return error.what(); }
    return {};
}

}  // namespace

TEST_CASE("each change of a server's reason is told, and one that comes back not more often than every ten seconds") {
    detail::nats::ToldReasons told;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(told.pass("a:1", "gone", begin));
    CHECK_FALSE(told.pass("a:1", "gone", begin + 1min));
    CHECK(told.pass("b:1", "gone", begin));
    CHECK(told.pass("a:1", "refused", begin + 1s));
    CHECK_FALSE(told.pass("a:1", "gone", begin + 9s));
    CHECK(told.pass("a:1", "gone", begin + 10s));
    CHECK_FALSE(told.pass("a:1", "refused", begin + 10s));
    CHECK(told.pass("a:1", "refused", begin + 11s));
    CHECK_FALSE(told.empty());
    told.clear();
    CHECK(told.pass("a:1", "gone", begin + 11s));
}

TEST_CASE("a reason that changes while a broker starts is told, too") {
    NatsServer server{{.config = "max_connections: 1"}};
    server.stop();
    EventLog events;
    Broker broker{{.servers = {server.url()}, .reconnect = quick, .start_timeout = 10min, .on_event = events.sink()}};
    std::thread program{[&] {
        try {
            broker.start();
        } catch (const Error&) {}
    }};
    CHECK(eventually([&] { return any_contains(events, Kind::waiting, "nothing accepts connections"); }));
    server.restart();
    CHECK(eventually([&] { return any_contains(events, Kind::waiting, "maximum connections exceeded"); }));
    broker.stop();
    program.join();
}

TEST_CASE("an account's limit of connections is named as the reason, every time") {
    NatsServer server{
        {.config = "accounts { A { users: [ { user: a, password: b } ], limits { max_connections: 1 } } }"}};
    for (int i = 0; i < 20; ++i) {
        CHECK_THAT(
            start_error({.servers = {server.url()}, .credentials = UserPassword{"a", "b"}, .start_timeout = 0ms}),
            ContainsSubstring("maximum account active connections exceeded"));
    }
}

TEST_CASE("a line that is too long for the server is named as the reason, at the start and at the loss") {
    NatsServer server{{.config = "max_control_line: 512"}};
    CHECK_THAT(start_error({.servers = {server.url()}, .name = std::string(2'000, 'n'), .start_timeout = 0ms}),
               ContainsSubstring("aximum control line exceeded") || ContainsSubstring("aximum Control Line Exceeded"));
    EventLog events;
    Broker broker{{.servers = {server.url()}, .reconnect = quick, .on_event = events.sink()}};
    broker.start();
    broker.publish(std::string(600, 's'), "x");
    REQUIRE(events.wait_for(Kind::disconnected));
    CHECK_THAT(events.last(Kind::disconnected).detail,
               ContainsSubstring("ontrol line") || ContainsSubstring("ontrol Line"));
    CHECK(events.wait_for(Kind::reconnected));
}

TEST_CASE("a reason names the user that was shown to the server that refused it") {
    NatsServer first{{.user = "alice", .password = "pw"}};
    NatsServer second{{.user = "bob", .password = "pw"}};
    const auto error = start_error({.servers = {first.url("alice", "wrong"), second.url("b%C3%B6b", "wrong")},
                                    .start_timeout = 0ms,
                                    .no_randomize = true});
    const auto at = [](const NatsServer& server) { return "127.0.0.1:" + std::to_string(server.port()); };
    CHECK_THAT(error, ContainsSubstring(at(first) + ": refused user \"alice\"") &&
                          ContainsSubstring(at(second) + ": refused user \"böb\""));
    auto with_token = second.url();
    with_token.insert(with_token.find("://") + 3, "s3cret@");
    CHECK_THAT(start_error({.servers = {with_token}, .start_timeout = 0ms}),
               ContainsSubstring("refused the token") && !ContainsSubstring("s3cret"));
}

TEST_CASE("a server that does not answer is waited for once also before one with an IPv6 address") {
    const FullListener black_hole;
    NatsServer server{{.arguments = {"-a", "::"}}};
    std::mutex mutex;
    std::map<std::uint16_t, int> dialled;
    const auto dial = [&](const std::string&, std::uint16_t port) {
        {
            const std::lock_guard lock{mutex};
            ++dialled[port];
        }
        if (port == black_hole.port()) throw std::runtime_error{"no answer"};
        return connect_loopback(port);
    };
    Broker broker{{.servers = {"nats://127.0.0.1:" + std::to_string(black_hole.port()),
                               "nats://[::1]:" + std::to_string(server.port())},
                   .no_randomize = true,
                   .dial = dial}};
    broker.start();
    const std::lock_guard lock{mutex};
    CHECK(dialled[black_hole.port()] == 1);
    CHECK(dialled[server.port()] == 2);
}

TEST_CASE("a request whose answer a handler of the same program may not send ends at once, and names that right") {
    NatsServer server{{.config = "authorization { users: [ { user: bob, password: pw, permissions: { "
                                 "publish: { deny: \"_INBOX.>\" } } } ] }"}};
    Broker broker{{.servers = {server.url()}, .credentials = UserPassword{"bob", "pw"}, .request_timeout = 10min}};
    broker.subscriber<"echo">().handle([](const std::string& text) { return text; });
    broker.start();
    for (int i = 0; i < 2; ++i) {
        const auto answer = broker.try_request<std::string>("echo", "x");
        REQUIRE_FALSE(answer);
        CHECK(answer.error() == Errc::unauthorized);
        CHECK_THAT(answer.error().what(),
                   ContainsSubstring("not publish to \"_INBOX.") && ContainsSubstring("allow_responses"));
    }
    const auto other = broker.try_request<std::string>("nobody", "x");
    REQUIRE_FALSE(other);
    CHECK(other.error() == Errc::no_responders);
}
