// SPDX-License-Identifier: Apache-2.0
// Secrets are planted in every place where somebody may put one, also in wrong ones, and looked for in everything that
// is shown: exceptions, and the log at its most detailed level.
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/freshet.hpp>

#include "../support/credentials.hpp"
#include "../support/server.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

// A password that no log has by chance.
const std::string secret = "Pl4nt3dSecret";

std::vector<std::string> secrets() {
    const std::string seed{testing::nkey_seed};
    const std::string jwt{testing::user_jwt};
    return {secret, seed, seed.substr(0, 30), jwt, jwt.substr(0, 60)};
}

struct Shown {
    std::string error;
    std::string log;
};

/// Starts a broker and returns what it showed.
Shown start(BrokerOptions options) {
    std::ostringstream lines;
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines);
    options.logger = std::make_shared<spdlog::logger>("test", sink);
    options.logger->set_level(spdlog::level::trace);
    options.start_timeout = 0ms;
    options.connect_timeout = 2s;
    Shown shown;
    try {
        Broker broker{options};
        broker.start();
    } catch (const std::exception& error) { shown.error = error.what(); }
    shown.log = lines.str();
    return shown;
}

void check_hidden(const Shown& shown) {
    for (const auto& each : secrets()) {
        CHECK_THAT(shown.error, !ContainsSubstring(each));
        CHECK_THAT(shown.log, !ContainsSubstring(each));
    }
}

}  // namespace

TEST_CASE("no secret is shown, wherever it was put") {
    testing::NatsServer server{{.user = "bob", .password = "right"}};
    const auto host = server.url().substr(std::string{"nats://"}.size());
    const std::string seed{testing::nkey_seed};
    const std::string jwt{testing::user_jwt};
    const std::string creds = testing::creds_content();
    const std::vector<BrokerOptions> cases = {
        {.servers = {"nats://bob:" + secret + "@" + host}},
        {.servers = {"nats://bob:" + secret + "%zz@" + host}},
        {.servers = {"nats://" + secret + "@" + host}},
        {.servers = {"nats://" + host + "?password=" + secret}},
        {.servers = {"nats://" + host + "/" + secret}},
        {.servers = {"http://bob:" + secret + "@" + host}},
        {.servers = {"bob:" + secret + "@" + host}},
        {.servers = {"nats://bob:" + secret + "@no-such-host.invalid:1"}},
        {.servers = {"nats://bob:" + secret + "@127.0.0.1:1"}},
        {.servers = {seed}},
        {.servers = {jwt}},
        {.servers = {server.url()}, .credentials = UserPassword{"bob", secret}},
        {.servers = {server.url()}, .credentials = UserPassword{seed, secret}},
        {.servers = {server.url()}, .credentials = Token{secret}},
        {.servers = {server.url()}, .credentials = NkeySeed{seed}},
        {.servers = {server.url()}, .credentials = NkeySeed{seed.substr(0, 50)}},
        {.servers = {server.url()}, .credentials = NkeyFile{seed}},
        {.servers = {server.url()}, .credentials = CredsFile{creds}},
        {.servers = {server.url()}, .credentials = CredsFile{jwt}},
        {.servers = {server.url()}, .credentials = CredsMemory{creds}},
        {.servers = {server.url()}, .credentials = CredsMemory{creds.substr(0, creds.size() / 2)}},
        {.servers = {server.url()}, .credentials = JwtAndSeed{seed, jwt}},
        {.servers = {server.url()}, .credentials = NkeyCallback{.public_key = seed}},
        {.servers = {server.url()}, .credentials = TokenCallback{[]() -> std::string {
                                        throw std::runtime_error{"https://vault?token=x nats://a:" + secret + "@b"};
                                    }}},
        {.servers = {server.url()}, .tls = {.ca_file = seed}},
        {.servers = {server.url()}, .tls = {.certificate = jwt, .private_key = seed}},
        {.servers = {server.url()}, .inbox_prefix = seed},
        {.servers = {server.url(), "nats://bob:" + secret + "@" + host}},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        INFO("case " << i);
        check_hidden(start(cases[i]));
    }
}
