// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/transport.hpp>

#include "../support/certificates.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

ServerOptions tls_server(bool verify_clients = false, bool handshake_first = false) {
    const auto& files = certificates();
    return {.tls = {.certificate = files.server,
                    .private_key = files.server_key,
                    .client_ca = verify_clients ? files.ca : "",
                    .handshake_first = handshake_first}};
}

/// The message of the bad_setup that opening fails with, at once.
std::string refusal(const NatsServer& server, TlsOptions tls, std::string url = {}) {
    const auto opened =
        nats_transport({.servers = {url.empty() ? server.url() : url}, .tls = std::move(tls)})->open(10min, {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::bad_setup);
    return opened.error().what();
}

std::string plain_url(const NatsServer& server) { return "nats://localhost:" + std::to_string(server.port()); }

bool echoes(Transport& transport) {
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(transport, inbox, {.subject = "echo"});
    publish(transport, "echo", "x");
    return inbox->wait_for(1);
}

}  // namespace

TEST_CASE("TLS connects where the server's certificate is signed by the given authority") {
    NatsServer server{tls_server()};
    auto transport = connect(server, {.tls = {.ca_file = certificates().ca}});
    CHECK(echoes(*transport));
    CHECK(transport->server().url == server.url());
}

TEST_CASE("TLS is used when the server asks for it, whatever the URL says") {
    NatsServer server{tls_server()};
    auto transport = nats_transport({.servers = {plain_url(server)}, .tls = {.ca_file = certificates().ca}});
    value_or_raise(transport->open(20s, {}));
    CHECK(echoes(*transport));
}

TEST_CASE("a server whose certificate nobody trusted signed is refused with OpenSSL's reason") {
    NatsServer server{tls_server()};
    for (const auto& ca : {certificates().other_ca, std::string{}}) {
        CHECK_THAT(refusal(server, {.ca_file = ca}),
                   ContainsSubstring(server.url()) && ContainsSubstring("TLS failed") &&
                       ContainsSubstring("unable to get local issuer certificate") && ContainsSubstring("ca_file"));
    }
}

TEST_CASE("a server with another name than expected is refused with both names") {
    NatsServer server{tls_server()};
    CHECK_THAT(refusal(server, {.ca_file = certificates().other_ca}), ContainsSubstring("issuer"));  // not told again
    CHECK_THAT(refusal(server,
                       {.ca_file = certificates().ca, .verify = VerifyServer{.expected_name = "billing.example"}}),
               ContainsSubstring("ostname mismatch") && ContainsSubstring("billing.example") &&
                   ContainsSubstring("CN=server"));
    auto named =
        connect(server, {.tls = {.ca_file = certificates().ca, .verify = VerifyServer{.expected_name = "localhost"}}});
    CHECK(echoes(*named));
}

TEST_CASE("verification is skipped only when that is said") {
    NatsServer server{tls_server()};
    auto transport = connect(server, {.tls = {.verify = SkipServerVerification{}}});
    CHECK(echoes(*transport));
}

TEST_CASE("a server that wants a client certificate gets it, or the refusal says so") {
    NatsServer server{tls_server(true)};
    const auto& files = certificates();
    auto transport =
        connect(server, {.tls = {.ca_file = files.ca, .certificate = files.client, .private_key = files.client_key}});
    CHECK(echoes(*transport));
    CHECK_THAT(refusal(server, {.ca_file = files.ca}), ContainsSubstring("certificate required") ||  // TLS 1.3
                                                           ContainsSubstring("handshake failure"));
}

TEST_CASE("TLS before the server's first line") {
    NatsServer server{tls_server(false, true)};
#if NATS_VERSION_NUMBER >= 0x030900
    auto transport = connect(server, {.tls = {.ca_file = certificates().ca, .handshake_first = true}});
    CHECK(echoes(*transport));
#else
    CHECK_THAT(refusal(server, {.ca_file = certificates().ca, .handshake_first = true}),
               ContainsSubstring("needs cnats 3.9"));
#endif
}

TEST_CASE("TLS survives a restart of the server") {
    NatsServer server{tls_server()};
    EventLog events;
    auto transport = connect(server, {.tls = {.ca_file = certificates().ca}}, events.sink());
    server.kill();
    REQUIRE(events.wait_for(ConnectionEvent::Kind::disconnected));
    server.restart();
    REQUIRE(events.wait_for(ConnectionEvent::Kind::reconnected));
    CHECK(echoes(*transport));
}

TEST_CASE("asking for TLS of a server without it fails at once") {
    NatsServer server;
    CHECK_THAT(refusal(server, {.enabled = true}), ContainsSubstring("offers no TLS"));
    CHECK_THAT(refusal(server, {}, "tls://127.0.0.1:" + std::to_string(server.port())),
               ContainsSubstring("offers no TLS"));
}

TEST_CASE("TLS files that cannot be used are named") {
    NatsServer server;
    const auto& files = certificates();
    CHECK_THAT(refusal(server, {.ca_file = "/no/such/ca.pem"}), ContainsSubstring("/no/such/ca.pem"));
    CHECK_THAT(refusal(server, {.certificate = "/no/such.pem", .private_key = files.client_key}),
               ContainsSubstring("/no/such.pem"));
    CHECK_THAT(refusal(server, {.certificate = files.client, .private_key = files.server_key}),
               ContainsSubstring(files.server_key));
    CHECK_THAT(refusal(server, {.certificate = files.client}), ContainsSubstring("private_key"));
}
