// SPDX-License-Identifier: Apache-2.0
// The code of docs/connecting.md.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/loopback.hpp"
#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::message_of;
using snippets::shown;

namespace {

/// The text with the server's address as a page writes it.
std::string with_usual_address(std::string text, const NatsServer& server) {
    if (const auto found = text.find(server.url()); found != std::string::npos)
        text.replace(found, server.url().size(), "nats://localhost:4222");
    return text;
}

}  // namespace

TEST_CASE("options") {
    NatsServer server{{.user = "billing", .password = "s3cret"}};
    const auto url = server.url();
    // [options]
    freshet::Broker broker{{
        .servers = {url},
        .name = "billing",
        .credentials = freshet::UserPassword{"billing", "s3cret"},
        .start_timeout = 30s,
        .request_timeout = 500ms,
    }};
    // [options]
    broker.start();
    CHECK(broker.running());
    CHECK(broker.ping() > 0ns);
    CHECK(broker.server().max_payload > 0);
}

TEST_CASE("the environment") {
    NatsServer server{{.user = "billing", .password = "s3cret"}};
    ::setenv("NATS_URL", server.url().c_str(), 1);
    ::setenv("NATS_USER", "billing", 1);
    ::setenv("NATS_PASSWORD", "s3cret", 1);
    // [environment]
    auto options = freshet::BrokerOptions::from_environment();
    options.name = "billing";
    freshet::Broker broker{options};
    // [environment]
    CHECK_NOTHROW(broker.start());
    freshet::Broker plain;
    CHECK_NOTHROW(plain.start());
    for (const auto* name : {"NATS_URL", "NATS_USER", "NATS_PASSWORD"}) ::unsetenv(name);
}

TEST_CASE("a context of the nats CLI") {
    NatsServer server{{.user = "billing", .password = "s3cret"}};
    ::setenv("XDG_CONFIG_HOME", server.directory().c_str(), 1);
    std::filesystem::create_directories(server.directory() / "nats" / "context");
    std::ofstream{server.directory() / "nats" / "context" / "prod.json"}
        << R"({"url": ")" << server.url() << R"(", "user": "billing", "password": "s3cret"})";
    // [context]
    freshet::Broker broker{freshet::BrokerOptions::from_context("prod")};
    // [context]
    CHECK_NOTHROW(broker.start());
    const auto said = message_of([] { freshet::BrokerOptions::from_context("nope"); });
    CHECK(said.starts_with(R"(there is no NATS context "nope": cannot read )"));
    ::unsetenv("XDG_CONFIG_HOME");
}

TEST_CASE("wrong credentials") {
    NatsServer server{{.user = "billing", .password = "s3cret"}};
    freshet::Broker broker{{.servers = {server.url()}, .credentials = freshet::UserPassword{"bob", "guess"}}};
    CHECK(with_usual_address(message_of([&] { broker.start(); }), server) == shown(R"(
// [unauthorized]
cannot connect to nats://localhost:4222: refused user "bob": Authorization Violation; check BrokerOptions::credentials
// [unauthorized]
)"));
}

TEST_CASE("TLS") {
    const auto directory = std::filesystem::temp_directory_path() / ("freshet-docs-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory);
    const std::string certificate = directory / "client.pem";
    const std::string key = directory / "client.key";
    const auto& ca = certificate;  // it signs itself, and stands for everybody
    const auto make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout " +
        key + " -out " + certificate + " 2>/dev/null";
    REQUIRE(std::system(make.c_str()) == 0);
    NatsServer server{{.tls = {.certificate = certificate, .private_key = key, .client_ca = ca}}};
    const auto url = server.url();
    // [tls]
    freshet::Broker broker{{
        .servers = {url},  // tls://...
        .tls = {.ca_file = ca, .certificate = certificate, .private_key = key},
    }};
    // [tls]
    CHECK_NOTHROW(broker.start());
    const auto said = message_of([&] { freshet::Broker{{.servers = {url}}}.start(); });
    INFO(said);
    CHECK(said.starts_with("cannot connect to " + url + ": TLS failed: "));
    std::filesystem::remove_all(directory);
}

TEST_CASE("no server") {
    // [absent]
    freshet::Broker broker{{.servers = {"nats://localhost:1"}, .start_timeout = 0ms}};
    try {
        broker.start();
    } catch (const freshet::Error& error) {
        if (error.code() != freshet::Condition::disconnected) throw;
        // nobody there; a new broker may try again
    }
    // [absent]
    CHECK_FALSE(broker.running());
    freshet::Broker again{{.servers = {"nats://localhost:1"}, .start_timeout = 0ms}};
    const auto said = message_of([&] { again.start(); });
    CHECK(said == shown(R"(
// [absent-error]
cannot connect to nats://localhost:1: nothing accepts connections; start nats-server there, or check the URL
// [absent-error]
)"));
}

TEST_CASE("a proxy") {
    NatsServer server;
    const auto url = server.url();
    const auto connect_through_proxy = [](const std::string&, std::uint16_t port) {
        return freshet::testing::connect_loopback(port);
    };
    // [dial]
    freshet::Broker broker{{.servers = {url}, .dial = connect_through_proxy}};
    // [dial]
    broker.start();
    CHECK(broker.running());
}

TEST_CASE("reconnecting") {
    NatsServer server;
    // [reconnect]
    freshet::Broker broker{{
        .servers = {server.url()},
        .reconnect = {.min_wait = 50ms, .max_wait = 1s, .buffer_bytes = 100'000},
    }};
    // [reconnect]
    auto news = broker.subscriber("news").messages();
    broker.start();
    server.kill();
    CHECK(broker.try_publish("other", "kept until a server is back"));
    server.restart();
    REQUIRE(eventually([&] { return broker.stats().transport.reconnects > 0; }));
    broker.publish("news", "again");
    const auto message = news.next(20s);
    REQUIRE(message);
    CHECK(message->text() == "again");
}

TEST_CASE("a connection that is closed for good stops the broker") {
    NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}, .reconnect = {.enabled = false}}};
    broker.start();
    server.kill();
    CHECK(eventually([&] { return !broker.running(); }));
}

TEST_CASE("the reconnect buffer is full") {
    NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}, .reconnect = {.buffer_bytes = 1'000}}};
    broker.start();
    server.kill();
    freshet::Expected<void> sent;
    REQUIRE(eventually([&] {
        sent = broker.try_publish("news", std::string(100, 'x'));
        return !sent;
    }));
    CHECK(sent.error().message() == shown(R"(
// [buffer-full]
cannot publish to "news": the connection is lost, and the 1000 bytes of ReconnectOptions::buffer_bytes have no room for it; publish it again when the connection is back
// [buffer-full]
)"));
}

TEST_CASE("health") {
    NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}}};
    std::string body;
    const auto probe = [&] {
        // [health]
        const auto health = broker.health();
        const int status = health.well() || !health.critical ? 200 : 503;
        for (const auto& problem : health.problems()) body += problem + '\n';
        // [health]
        return status;
    };
    CHECK(probe() == 503);
    CHECK(body == "idle\n");
    broker.start();
    CHECK(probe() == 200);
    server.kill();
    CHECK(eventually([&] {
        return probe() == 503 && body.find("reconnecting: the connection to nats://127.0.0.1") != std::string::npos;
    }));
}

TEST_CASE("fail fast") {
    NatsServer server;
    freshet::Broker broker{{.servers = {server.url()}}};
    // [fail-fast]
    broker.subscriber<"orders.{id}">({.on_lost = freshet::OnLost::fail_fast})
        .handle([](std::string_view) { /* ... */ });
    // [fail-fast]
    CHECK_NOTHROW(broker.start());
}

TEST_CASE("events") {
    NatsServer server;
    std::atomic<bool> ready = false;
    // [events]
    freshet::BrokerOptions options{.servers = {server.url()}};
    options.on_event = [&](const freshet::ConnectionEvent& event) {
        using Kind = freshet::ConnectionEvent::Kind;
        if (event.kind == Kind::connected || event.kind == Kind::reconnected) ready = true;
        if (event.kind == Kind::disconnected || event.kind == Kind::closed) ready = false;
    };
    freshet::Broker broker{options};
    // [events]
    broker.start();
    CHECK(ready);
    server.kill();
    CHECK(eventually([&] { return !ready; }));
    server.restart();
    CHECK(eventually([&] { return ready.load(); }));
    broker.stop();
    CHECK_FALSE(ready);
}
