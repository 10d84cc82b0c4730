// SPDX-License-Identifier: Apache-2.0
// Whoever starts a program, or reads its log, learns why a server does not take it.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <csignal>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/transport.hpp>

#include "../support/certificates.hpp"
#include "../support/full_listener.hpp"
#include "../support/loopback.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = ConnectionEvent::Kind;

namespace {

constexpr ReconnectOptions quick{.min_wait = 1ms, .max_wait = 2ms};

Error refusal(const BrokerOptions& options, std::chrono::milliseconds wait = 0ms) {
    const auto opened = nats_transport(options)->open(wait, {});
    REQUIRE_FALSE(opened);
    return opened.error();
}

bool any_contains(const EventLog& events, Kind kind, const std::string& text) {
    for (const auto& event : events.all())
        if (event.kind == kind && event.detail.find(text) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("a server that takes no more connections is named as the reason, every time") {
    NatsServer server{{.config = "max_connections: 1"}};
    for (int i = 0; i < 20; ++i) {
        const auto error = refusal({.servers = {server.url()}});
        CHECK(error.code() == Errc::disconnected);
        CHECK_THAT(error.what(), ContainsSubstring("maximum connections exceeded"));
    }
}

TEST_CASE("a connection that the server ends for one subscription too many says so, and that it will not pass") {
    NatsServer server{{.config = "max_subscriptions: 2"}};
    EventLog events;
    auto transport = connect(server, {.reconnect = quick}, events.sink());
    std::vector<std::unique_ptr<TransportSubscription>> subscriptions;
    for (int i = 0; i < 3; ++i) {
        auto made = transport->subscribe({.subject = "s" + std::to_string(i)}, std::make_shared<Inbox>());
        if (made) subscriptions.push_back(*std::move(made));
    }
    CHECK(eventually([&] { return any_contains(events, Kind::disconnected, "maximum subscriptions exceeded"); }));
    CHECK(eventually([&] { return any_contains(events, Kind::disconnected, "will not pass by itself"); }));
}

// The server does not close the connection then, as it does for its own limit; cnats does.
TEST_CASE("an account's limit of subscriptions is told as the reason, while connected and at the start") {
    NatsServer server{
        {.config = "accounts { A { users: [{user: a, password: b}], limits { max_subscriptions: 2 } } }"}};
    BrokerOptions options{.credentials = UserPassword{"a", "b"}, .reconnect = quick};
    EventLog events;
    auto transport = connect(server, options, events.sink());
    std::vector<std::unique_ptr<TransportSubscription>> subscriptions;
    for (int i = 0; i < 4; ++i) {
        auto made = transport->subscribe({.subject = "s" + std::to_string(i)}, std::make_shared<Inbox>());
        if (made) subscriptions.push_back(*std::move(made));
    }
    const auto flushed = transport->flush(10s);
    REQUIRE_FALSE(flushed);
    CHECK_THAT(flushed.error().what(), ContainsSubstring("maximum subscriptions exceeded"));
    CHECK(eventually([&] { return any_contains(events, Kind::disconnected, "maximum subscriptions exceeded"); }));
    CHECK(eventually([&] { return any_contains(events, Kind::disconnected, "will not pass by itself"); }));
}

TEST_CASE("while it reconnects, each reason of each server is told once") {
    NatsServer server{{.user = "bob", .password = "old"}};
    EventLog events;
    auto transport =
        connect(server, {.credentials = UserPassword{"bob", "old"}, .reconnect = {.min_wait = 1ms, .max_wait = 2ms}},
                events.sink());
    server.restart({.user = "bob", .password = "new"});
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "Authorization Violation"); }));
    CHECK_THAT(events.last(Kind::waiting).detail,
               ContainsSubstring("127.0.0.1:" + std::to_string(server.port())) && ContainsSubstring(R"(user "bob")"));
    // By default cnats takes two refusals, and 60 rounds; here each of two connections goes on.
    REQUIRE(eventually([&] {
        const auto log = server.log();
        std::size_t refused = 0;
        for (auto at = log.find("authentication error"); at != std::string::npos;
             at = log.find("authentication error", at + 1))
            ++refused;
        return refused > 2 * 60;
    }));
    std::map<std::string, int> times;
    for (const auto& event : events.all())
        if (event.kind == Kind::waiting) ++times[event.detail];
    for (const auto& [detail, count] : times) {
        INFO(detail);
        CHECK(count == 1);
    }
    CHECK(events.count(Kind::error) == 0);
    CHECK(events.count(Kind::closed) == 0);
    server.restart({.user = "bob", .password = "old"});
    REQUIRE(events.wait_for(Kind::reconnected));
}

TEST_CASE("each server of a list that refuses is named with its own reason") {
    NatsServer with_password{{.user = "bob", .password = "secret"}};
    NatsServer gone;
    gone.stop();
    const auto error = refusal({.servers = {with_password.url(), gone.url()}});
    CHECK(error.code() == Errc::disconnected);
    CHECK_THAT(error.what(), ContainsSubstring("127.0.0.1:" + std::to_string(with_password.port()) + ": refused") &&
                                 ContainsSubstring("127.0.0.1:" + std::to_string(gone.port()) + ": nothing accepts"));
}

TEST_CASE("a server that begins with TLS, or does not, is told apart from one that is not there") {
    const auto& files = certificates();
    NatsServer first{{.tls = {.certificate = files.server, .private_key = files.server_key, .handshake_first = true}}};
    CHECK_THAT(refusal({.servers = {first.url()}, .tls = {.ca_file = files.ca}, .connect_timeout = 300ms}).what(),
               ContainsSubstring("handshake_first"));
    NatsServer later{{.tls = {.certificate = files.server, .private_key = files.server_key}}};
    CHECK_THAT(refusal({.servers = {later.url()}, .tls = {.ca_file = files.ca, .handshake_first = true}}).what(),
               ContainsSubstring("turn TlsOptions::handshake_first off"));
}

TEST_CASE("a certificate that was replaced is read again, and a bad one is named") {
    const auto& files = certificates();
    const ServerOptions options{
        .tls = {.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca}};
    NatsServer server{options};
    const auto certificate = server.directory() / "client.pem";
    const auto key = server.directory() / "client.key";
    const auto put = [&](const std::string& from, const std::string& its_key) {
        std::filesystem::copy_file(from, certificate, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::copy_file(its_key, key, std::filesystem::copy_options::overwrite_existing);
    };
    put(files.client, files.client_key);
    EventLog events;
    auto transport =
        connect(server,
                {.tls = {.ca_file = files.ca, .certificate = certificate.string(), .private_key = key.string()},
                 .reconnect = quick},
                events.sink());
    put(files.other_ca, files.other_ca.substr(0, files.other_ca.size() - 3) + "key");  // of another authority
    server.restart();
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "TLS failed"); }));
    put(files.client, files.client_key);
    CHECK(events.wait_for(Kind::reconnected));
}

TEST_CASE("an encrypted key is opened with the passphrase, and never asked for on a terminal") {
    const auto& files = certificates();
    NatsServer server{{.tls = {.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca}}};
    const auto key = (server.directory() / "encrypted.key").string();
    const auto command =
        "openssl pkcs8 -topk8 -in '" + files.client_key + "' -passout pass:open-sesame -out '" + key + "' 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    TlsOptions tls{.ca_file = files.ca, .certificate = files.client, .private_key = key};
    CHECK_THAT(refusal({.servers = {server.url()}, .tls = tls}).what(), ContainsSubstring("the key is encrypted"));
    tls.passphrase = [] { return "wrong-word"; };
    const auto error = refusal({.servers = {server.url()}, .tls = tls});
    CHECK_THAT(error.what(), ContainsSubstring("does not open the key") && !ContainsSubstring("wrong-word"));
    tls.passphrase = [] { return "open-sesame"; };
    CHECK(nats_transport({.servers = {server.url()}, .tls = tls})->open(20s, {}));
}

TEST_CASE("certificates and keys may come from memory") {
    const auto& files = certificates();
    const auto text = [](const std::string& path) {
        std::ifstream in{path};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    NatsServer server{{.tls = {.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca}}};
    const TlsOptions tls{
        .ca_pem = text(files.ca), .certificate_pem = text(files.client), .private_key_pem = text(files.client_key)};
    CHECK(nats_transport({.servers = {server.url()}, .tls = tls})->open(20s, {}));
    CHECK_THAT(refusal({.servers = {server.url()}, .tls = {.ca_file = files.ca, .ca_pem = text(files.ca)}}).what(),
               ContainsSubstring("ca_pem are both set"));
    CHECK_THAT(refusal({.servers = {server.url()}, .tls = {.certificate_pem = "x"}}).what(),
               ContainsSubstring("private_key_pem"));
    CHECK_THAT(refusal({.servers = {server.url()}, .tls = {.ca_pem = "no PEM"}}).what(), ContainsSubstring("ca_pem"));
}

TEST_CASE("a server that does not answer is waited for once, though there are two connections") {
    const FullListener black_hole;
    NatsServer server;
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
    auto transport = nats_transport({.servers = {"nats://127.0.0.1:" + std::to_string(black_hole.port()), server.url()},
                                     .no_randomize = true,
                                     .dial = dial});
    value_or_raise(transport->open(20s, {}));
    const std::lock_guard lock{mutex};
    CHECK(dialled[black_hole.port()] == 1);
    CHECK(dialled[server.port()] == 2);
}

TEST_CASE("servers are tried in their order if that is asked for") {
    NatsServer first;
    NatsServer second;
    for (int i = 0; i < 10; ++i) {
        auto transport = nats_transport({.servers = {first.url(), second.url()}, .no_randomize = true});
        value_or_raise(transport->open(20s, {}));
        CHECK(transport->server().url == first.url());
    }
}

TEST_CASE("a function may make the connections, and its failures are told") {
    NatsServer server;
    std::atomic<int> calls = 0;
    auto transport =
        nats_transport({.servers = {server.url()}, .dial = [&](const std::string& host, std::uint16_t port) {
                            CHECK(host == "127.0.0.1");
                            ++calls;
                            return connect_loopback(port);
                        }});
    value_or_raise(transport->open(20s, {}));
    CHECK(calls == 2);
    const auto threw = refusal({.servers = {server.url()}, .dial = [](const std::string&, std::uint16_t) -> int {
                                    throw std::runtime_error{"the proxy refused"};
                                }});
    CHECK_THAT(threw.what(), ContainsSubstring("dial threw: the proxy refused"));
    const auto no_socket =
        refusal({.servers = {server.url()}, .dial = [](const std::string&, std::uint16_t) { return -1; }});
    CHECK_THAT(no_socket.what(), ContainsSubstring("is no socket"));
}

TEST_CASE("a server in lame duck mode is left for another while it still answers") {
    const std::string lame = "lame_duck_duration: 60s, lame_duck_grace_period: 30s\n";
    NatsServer going{{.config = lame, .name = "a", .cluster = "c"}};
    NatsServer staying{{.config = lame, .name = "b", .cluster = "c", .routes = {going.cluster_url()}}};
    EventLog events;
    auto transport =
        nats_transport({.servers = {going.url(), staying.url()}, .reconnect = quick, .no_randomize = true});
    value_or_raise(transport->open(20s, events.sink()));
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(*transport, inbox, {.subject = "moved"});
    going.lame_duck();
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(transport->server().url == staying.url());
    CHECK(going.pid() != 0);
    CHECK(::kill(going.pid(), 0) == 0);  // it has not ended yet
    CHECK(events.count(Kind::lame_duck) == 1);
    CHECK_THAT(events.last(Kind::lame_duck).detail, ContainsSubstring("moving to another"));
    publish(*transport, "moved", "x");
    CHECK(inbox->wait_for(1));
}
