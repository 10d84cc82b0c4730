// SPDX-License-Identifier: Apache-2.0
// What changes while a program runs: rights, limits, certificates. Whatever the server then does, the program goes on
// when it may again, and nobody need guess why it did not.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/certificates.hpp"
#include "../support/credentials.hpp"
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

void write(const std::filesystem::path& path, std::string_view content) {
    const auto part = path.string() + ".part";
    std::ofstream{part} << content;
    std::filesystem::rename(part, path);  // a reader finds the old file or the new one
}

bool any_contains(const EventLog& events, Kind kind, const std::string& text) {
    for (const auto& event : events.all())
        if (event.kind == kind && event.detail.find(text) != std::string::npos) return true;
    return false;
}

bool works(Broker& broker) { return broker.try_request<std::string>("echo", "x").has_value(); }

void echo(Broker& broker) {
    broker.subscriber<"echo">().handle([](const std::string& text) { return text; });
}

}  // namespace

TEST_CASE("files of credentials with the line ends of Windows are taken") {
    const auto with_crlf = [](std::string text) {
        for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) text.insert(at, "\r");
        return text;
    };
    NatsServer server{{.config = operator_config()}};
    write(server.directory() / "user.creds", with_crlf(creds_content()));
    Broker broker{{.servers = {server.url()},
                   .credentials = CredsFile{(server.directory() / "user.creds").string()},
                   .start_timeout = 0ms}};
    CHECK_NOTHROW(broker.start());

    NatsServer with_nkey{{.config = "authorization { users: [ { nkey: " + std::string{nkey_public} + " } ] }"}};
    write(server.directory() / "user.nk", with_crlf("# ours\n" + std::string{nkey_seed} + "\n"));
    Broker second{{.servers = {with_nkey.url()},
                   .credentials = NkeyFile{(server.directory() / "user.nk").string()},
                   .start_timeout = 0ms}};
    CHECK_NOTHROW(second.start());
}

TEST_CASE("rights to publish and to receive answers that are taken away fail calls at once") {
    const auto rights = [](const std::string& permissions) {
        return ServerOptions{.config = "authorization { users: [ { user: bob, password: pw, permissions: { " +
                                       permissions + " } } ] }"};
    };
    NatsServer server{rights(R"(publish: ">", subscribe: ">")")};
    Broker broker{{.servers = {server.url()},
                   .credentials = UserPassword{"bob", "pw"},
                   .reconnect = quick,
                   .request_timeout = 10min}};
    echo(broker);
    broker.start();
    CHECK(works(broker));

    server.reload(rights(R"(publish: { allow: ">", deny: "echo" }, subscribe: ">")"));
    Error publish{Errc::timeout, ""};
    REQUIRE(eventually([&] {  // until the reload has reached the connection
        const auto answer = broker.try_request<std::string>("echo", "x");
        if (!answer) publish = answer.error();
        return !answer;
    }));
    CHECK(publish == Errc::unauthorized);
    CHECK_THAT(publish.what(), ContainsSubstring("publish to \"echo\""));

    server.reload(rights(R"(publish: ">", subscribe: ">")"));
    REQUIRE(eventually([&] { return works(broker); }));
    server.reload(rights(R"(publish: ">", subscribe: { allow: ">", deny: "_INBOX.>" })"));
    Error inbox{Errc::timeout, ""};
    REQUIRE(eventually([&] {
        const auto answer = broker.try_request<std::string>("echo", "x");
        if (!answer) inbox = answer.error();
        return !answer;
    }));
    CHECK(inbox == Errc::unauthorized);
    CHECK_THAT(inbox.what(), ContainsSubstring("let the user subscribe to \"_INBOX.>\""));
}

// A server does not tell its clients of the new limit before they meet it.
TEST_CASE("a limit on payloads that is lowered while the program runs is known after the loss that it causes") {
    NatsServer server{{.config = "max_payload: 10000"}};
    Broker broker{{.servers = {server.url()}, .reconnect = quick}};
    echo(broker);
    broker.start();
    const std::string large(9'000, 'x');
    CHECK(broker.try_request<std::string>("echo", large));
    server.reload({.config = "max_payload: 1000"});
    REQUIRE(eventually([&] {
        const auto sent = broker.try_publish("echo", large);
        return !sent && sent.error() == Errc::payload_too_large;
    }));
    CHECK(eventually([&] { return works(broker); }));
}

TEST_CASE("an expired certificate of the server is named at the start and at a reconnect") {
    const auto& files = certificates();
    const ServerTls expired{.certificate = files.expired, .private_key = files.expired_key};
    NatsServer bad{{.tls = expired}};
    Broker refused{{.servers = {bad.url()}, .tls = {.ca_file = files.ca}, .start_timeout = 0ms}};
    try {
        refused.start();
        FAIL("start() did not throw");
    } catch (const Error& error) {
        CHECK(error == Errc::bad_setup);
        CHECK_THAT(error.what(), ContainsSubstring("certificate has expired"));
    }

    const ServerTls good{.certificate = files.server, .private_key = files.server_key};
    NatsServer server{{.tls = good}};
    EventLog events;
    Broker broker{
        {.servers = {server.url()}, .tls = {.ca_file = files.ca}, .reconnect = quick, .on_event = events.sink()}};
    echo(broker);
    broker.start();
    server.restart({.tls = expired});
    CHECK(eventually([&] { return any_contains(events, Kind::waiting, "certificate has expired"); }));
    server.restart({.tls = good});
    CHECK(eventually([&] { return works(broker); }));
}

TEST_CASE("a user whom nobody vouches for at an auth callout is refused, with the server's reason") {
    NatsServer server{{.config = "accounts { AUTH { users: [ { user: auth, password: pw } ] }, APP {} }\n"
                                 "authorization { timeout: 1, auth_callout { issuer: " +
                                 std::string{account_public} + ", auth_users: [ auth ], account: AUTH } }"}};
    Broker broker{{.servers = {server.url()},
                   .credentials = UserPassword{"bob", "s3cret"},
                   .connect_timeout = 10s,
                   .start_timeout = 0ms}};
    try {
        broker.start();
        FAIL("start() did not throw");
    } catch (const Error& error) {
        CHECK_THAT(error.what(), ContainsSubstring("refused user \"bob\""));
        CHECK_THAT(error.what(), !ContainsSubstring("s3cret"));
        CHECK(error == Errc::unauthorized);
    }
}

TEST_CASE("a server on an IPv6 address is reached from the environment, also with credentials in the URL") {
    NatsServer server{{.arguments = {"-a", "::"}, .user = "bob", .password = "a@b"}};
    const auto port = std::to_string(server.port());
    for (const auto& url :
         {"nats://bob:a%40b@[::1]:" + port, "bob:a%40b@[::1]:" + port, "nats://bob:a@b@[::1]:" + port}) {
        INFO(url);
        ::setenv("NATS_URL", url.c_str(), 1);
        Broker broker{{.start_timeout = 0ms}};
        ::unsetenv("NATS_URL");
        CHECK_NOTHROW(broker.start());
        CHECK_THAT(broker.server().url, ContainsSubstring("[::1]:" + port) && !ContainsSubstring("bob"));
    }
    for (const std::string url :
         {"nats://bob:s3cret%zz@[::1]:4222", "nats://bob:s3cret@[::1:4222", "nats://s3cret%4@[::1]",
          "nats://bob:s3cret%@[::1]:1", "wss://bob:s3cret@[::1]:1", "nats://bob:s3cret@[::1]:x"}) {
        INFO(url);
        ::setenv("NATS_URL", url.c_str(), 1);
        std::string text;
        try {
            Broker broker{{.start_timeout = 0ms}};
            broker.start();
        } catch (const Error& error) {
            text = error.what();
            CHECK(error == Errc::bad_setup);
        }
        ::unsetenv("NATS_URL");
        CHECK_THAT(text, ContainsSubstring("is not the URL of a NATS server") && !ContainsSubstring("s3cret"));
    }
}
