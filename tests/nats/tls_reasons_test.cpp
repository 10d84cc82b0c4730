// SPDX-License-Identifier: Apache-2.0
// What is wrong with a certificate or a key is told, at the start and while the connection is made again.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/certificates.hpp"
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

bool any_contains(const EventLog& events, Kind kind, const std::string& text) {
    for (const auto& event : events.all())
        if (event.kind == kind && event.detail.find(text) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("each fault of a certificate is named at the start, which ends at once") {
    const auto& files = certificates();
    const ServerTls plain{.certificate = files.server, .private_key = files.server_key};
    const ServerTls asking{.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca};
    const auto other_key = files.other_ca.substr(0, files.other_ca.size() - 3) + "key";
    struct Case {
        std::string name;
        ServerTls server;
        TlsOptions client;
        std::string text;
    };
    const Case cases[] = {
        {"of another name", plain, {.ca_file = files.ca, .verify = VerifyServer{"other.example"}}, "mismatch"},
        {"of another authority", plain, {.ca_file = files.other_ca}, "unable to get local issuer certificate"},
        {"none of the client", asking, {.ca_file = files.ca}, "certificate required"},
        {"the client's has expired",
         asking,
         {.ca_file = files.ca, .certificate = files.expired, .private_key = files.expired_key},
         "expired"},
        {"the client's of another authority",
         asking,
         {.ca_file = files.ca, .certificate = files.other_ca, .private_key = other_key},
         "unknown"},
    };
    for (const auto& one : cases) {
        INFO(one.name);
        const NatsServer server{{.tls = one.server}};
        Broker broker{{.servers = {server.url()}, .tls = one.client, .start_timeout = 10min}};
        try {
            broker.start();
            FAIL("start() did not throw");
        } catch (const Error& error) {
            CHECK(error == Errc::bad_setup);
            CHECK_THAT(error.what(), ContainsSubstring("TLS failed") && ContainsSubstring(one.text));
        }
    }
}

TEST_CASE("a server that begins to ask for certificates is named as the reason while the connection is made again") {
    const auto& files = certificates();
    const ServerTls plain{.certificate = files.server, .private_key = files.server_key};
    const ServerTls asking{.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca};
    NatsServer server{{.tls = plain}};
    EventLog events;
    Broker broker{
        {.servers = {server.url()}, .tls = {.ca_file = files.ca}, .reconnect = quick, .on_event = events.sink()}};
    broker.start();
    server.restart({.tls = asking});
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "certificate required"); }));
    CHECK(any_contains(events, Kind::waiting, "will not pass by itself"));
    server.restart({.tls = plain});
    CHECK(events.wait_for(Kind::reconnected));
}

// OpenSSL would ask for the passphrase on the terminal, and wait there.
TEST_CASE("a key that is replaced by an encrypted one is named, until one that is not is there again") {
    const auto& files = certificates();
    const ServerOptions options{
        .tls = {.certificate = files.server, .private_key = files.server_key, .client_ca = files.ca}};
    NatsServer server{options};
    const auto key = server.directory() / "client.key";
    const auto encrypted = server.directory() / "encrypted.key";
    const auto put = [&](const std::filesystem::path& from) {
        const auto part = key.string() + ".part";
        std::filesystem::copy_file(from, part, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::rename(part, key);
    };
    const auto command = "openssl pkcs8 -topk8 -in '" + files.client_key + "' -passout pass:open-sesame -out '" +
                         encrypted.string() + "' 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    put(files.client_key);
    EventLog events;
    Broker broker{{.servers = {server.url()},
                   .tls = {.ca_file = files.ca, .certificate = files.client, .private_key = key.string()},
                   .reconnect = quick,
                   .on_event = events.sink()}};
    broker.start();
    put(encrypted);
    server.restart();
    REQUIRE(eventually([&] { return any_contains(events, Kind::waiting, "was replaced by an encrypted key"); }));
    put(files.client_key);
    CHECK(events.wait_for(Kind::reconnected));
}
