// SPDX-License-Identifier: Apache-2.0
// Secrets are planted in every place where somebody may put one, also in wrong ones, and looked for in everything that
// is shown: exceptions, and the log at its most detailed level.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/asyncapi.hpp>
#include <freshet/describe.hpp>
#include <freshet/freshet.hpp>

#include "../support/credentials.hpp"
#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"

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

/// Returns what the function writes to stdout and stderr.
template <class F>
std::string printed_by(F function) {
    std::FILE* const file = std::tmpfile();
    std::fflush(nullptr);
    const int out = ::dup(STDOUT_FILENO);
    const int err = ::dup(STDERR_FILENO);
    ::dup2(::fileno(file), STDOUT_FILENO);
    ::dup2(::fileno(file), STDERR_FILENO);
    function();
    std::fflush(nullptr);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::close(out);
    ::close(err);
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
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
        {.servers = {server.url()},
         .credentials = JwtCallback{[]() -> std::string { throw std::runtime_error{"nats://a:" + secret + "@b"}; },
                                    [](std::string_view) { return secret; }}},
        {.servers = {server.url()},
         .credentials = JwtCallback{[jwt] { return jwt; },
                                    [](std::string_view) {
                                        return secret;  // is no signature
                                    }}},
        {.servers = {server.url()},
         .dial = [](const std::string&, std::uint16_t) -> int {
             throw std::runtime_error{"proxy http://a:" + secret + "@b:1 refused"};
         }},
        {.servers = {"nats://bob:" + secret + "%zz@[::1]:1"}},
        {.servers = {"nats://bob:" + secret + "@[::1"}},
        {.servers = {"nats://bob:" + secret}},  // the host was forgotten
        {.servers = {"bob:" + secret}},
        {.servers = {"nats://[" + secret}},
        {.servers = {"wss://bob:" + secret + "@localhost:1"}},
        {.servers = {"tls://bob:" + secret + "@" + host}},
        {.servers = {server.url()}, .credentials = Token{"a\"\\" + secret}},
        {.servers = {server.url()},
         .tls = {.certificate_pem = secret, .private_key_pem = seed, .passphrase = [] { return secret; }}},
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

TEST_CASE("no secret is in a description, in the help or in an answer to a wrong command line") {
    testing::LogLines log;
    const std::string seed{testing::nkey_seed};
    const std::string jwt{testing::user_jwt};
    Broker broker{{
        .servers = {"nats://bob:" + secret + "@host:4222", seed, "nats://" + secret + "@[::1]:1",
                    "nats://bob:" + secret + "%zz@host"},
        .name = "nats://bob:" + secret + "@host",
        .logger = log.logger(),
    }};
    const auto description = broker.describe();
    Shown described{asyncapi_json(description), asyncapi_yaml(description)};
    check_hidden(described);

    for (const auto& words : std::vector<std::vector<std::string>>{{"--help"},
                                                                   {"nats://bob:" + secret + "@host"},
                                                                   {"--password=" + secret},
                                                                   {"--nkey", seed},
                                                                   {seed},
                                                                   {"--log-level", jwt}}) {
        std::string program = "service";
        auto copies = words;
        std::vector<char*> argv{program.data()};
        for (auto& word : copies) argv.push_back(word.data());
        const auto printed = printed_by([&] { App{broker}.run(static_cast<int>(argv.size()), argv.data()); });
        CHECK_FALSE(printed.empty());
        INFO(printed);
        check_hidden({printed, {}});
    }
}

TEST_CASE("no secret of the environment is shown, wherever it was put") {
    testing::NatsServer server{{.user = "bob", .password = "right"}};
    const std::string seed{testing::nkey_seed};
    const std::string jwt{testing::user_jwt};
    using Variables = std::map<std::string, std::string>;
    const std::vector<Variables> cases = {
        {{"NATS_NKEY", seed}},
        {{"NATS_CREDS", testing::creds_content()}},
        {{"NATS_CREDS", jwt}},
        {{"NATS_TOKEN", secret}},
        {{"NATS_USER", "bob"}, {"NATS_PASSWORD", secret}},
        {{"NATS_USER", seed}, {"NATS_PASSWORD", secret}},
        {{"NATS_TOKEN", secret}, {"NATS_PASSWORD", secret}, {"NATS_USER", "bob"}},
        {{"NATS_PASSWORD", secret}},
        {{"NATS_CONTEXT", seed}},
        {{"NATS_CONTEXT", "nats://bob:" + secret + "@host"}},
        {{"NATS_CA", seed}},
        {{"NATS_CERT", jwt}, {"NATS_KEY", seed}},
        {{"NATS_KEY", seed}},
        {{"NATS_INBOX_PREFIX", seed}},
        {{"NATS_URL", "nats://bob:" + secret + "%4@[::1]:4222"}},
        {{"NATS_URL", server.url() + ",nats://bob:" + secret + "@127.0.0.1:1"}},
        {{"NATS_URL", "nats://bob:" + secret + "@127.0.0.1:1 , " + seed}},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        INFO("case " << i);
        if (!cases[i].contains("NATS_URL")) ::setenv("NATS_URL", server.url().c_str(), 1);
        for (const auto& [name, value] : cases[i]) ::setenv(name.c_str(), value.c_str(), 1);
        check_hidden(start({}));
        ::unsetenv("NATS_URL");
        for (const auto& [name, value] : cases[i]) ::unsetenv(name.c_str());
    }
}

TEST_CASE("no secret is shown while a broker reconnects, also not by health()") {
    testing::NatsServer server{{.user = "bob", .password = secret}};
    const auto with_secret = server.url("bob", secret);
    testing::LogLines log;
    log.logger()->set_level(spdlog::level::trace);
    std::atomic<bool> vault_is_shut = false;
    const auto vault = [&] {
        if (vault_is_shut) throw std::runtime_error{"https://a:" + secret + "@vault is shut"};
        return UserPassword{"bob", secret};
    };
    Broker in_url{{.servers = {with_secret}, .reconnect = {.min_wait = 1ms, .max_wait = 10ms}, .logger = log.logger()}};
    Broker of_vault{{.servers = {server.url()},
                     .credentials = UserPasswordCallback{vault},
                     .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
                     .logger = log.logger()}};
    in_url.start();
    of_vault.start();
    vault_is_shut = true;
    server.restart({.user = "bob", .password = "another"});
    const auto says = [](const Broker& broker, const std::string& text) {
        for (const auto& problem : broker.health().problems())
            if (problem.find(text) != std::string::npos) return true;
        return false;
    };
    REQUIRE(testing::eventually([&] { return says(in_url, "Authorization Violation"); }));
    REQUIRE(testing::eventually([&] { return says(of_vault, "vault is shut"); }));
    for (const auto* broker : {&in_url, &of_vault})
        for (const auto& problem : broker->health().problems()) CHECK_THAT(problem, !ContainsSubstring(secret));
    for (const auto& line : log.all()) CHECK_THAT(line, !ContainsSubstring(secret));
}
