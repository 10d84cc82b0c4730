// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/native.hpp>
#include <freshet/transport.hpp>

#include "../support/credentials.hpp"
#include "../support/full_listener.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"
#include "nats/credentials.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using Kind = ConnectionEvent::Kind;

namespace {

/// Long, so that a test which waits for it instead of failing at once runs into its own time limit.
constexpr auto long_wait = 10min;

Expected<void> try_open(const BrokerOptions& options, std::chrono::milliseconds wait = long_wait) {
    return nats_transport(options)->open(wait, {});
}

Expected<void> try_open(const NatsServer& server, Credentials credentials) {
    return try_open({.servers = {server.url()}, .credentials = std::move(credentials)});
}

void check_refused(const Expected<void>& opened, const NatsServer& server, const std::string& who) {
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::unauthorized);
    CHECK(opened.error().code() == Condition::bad_setup);
    CHECK_THAT(opened.error().what(), ContainsSubstring(server.url()) && ContainsSubstring(who) &&
                                          ContainsSubstring("Authorization Violation"));
}

std::string write_file(const NatsServer& server, const std::string& name, std::string_view content) {
    const auto path = server.directory() / name;
    std::ofstream{path} << content;
    return path.string();
}

bool echoes(Transport& transport) {
    auto inbox = std::make_shared<Inbox>();
    const auto subscription = subscribe(transport, inbox, {.subject = "echo"});
    publish(transport, "echo", "x");
    return inbox->wait_for(1);
}

std::string sign_with_seed(std::string_view nonce) {
    detail::nats::CredentialSource source{NkeySeed{std::string{nkey_seed}}};
    return value_or_raise(source.sign(nonce));
}

std::unique_ptr<Transport> nats_open(const std::string& url) {
    auto transport = nats_transport({.servers = {url}});
    value_or_raise(transport->open(20s, {}));
    return transport;
}

}  // namespace

TEST_CASE("the right password or token connects") {
    NatsServer server{{.user = "bob", .password = "se:cr@t"}};
    CHECK(echoes(*connect(server, {.credentials = UserPassword{"bob", "se:cr@t"}})));
    NatsServer with_token{{.token = "s3cret"}};
    CHECK(echoes(*connect(with_token, {.credentials = Token{"s3cret"}})));
}

TEST_CASE("credentials in the URL connect and are not shown") {
    NatsServer server{{.user = "bob", .password = "topsecret"}};
    EventLog events;
    auto transport = nats_transport({.servers = {server.url("bob", "topsecret")}});
    value_or_raise(transport->open(20s, events.sink()));
    CHECK(transport->server().url == server.url());
    CHECK(events.last(Kind::connected).url == server.url());
}

// Never left waiting or retrying; and no password in the error.
TEST_CASE("wrong credentials fail at once with the server's reason") {
    NatsServer server{{.user = "bob", .password = "topsecret"}};
    check_refused(try_open(server, UserPassword{"bob", "wrongword"}), server, "user \"bob\"");
    check_refused(try_open(server, {}), server, "without credentials");
    check_refused(try_open(server, Token{"wrongword"}), server, "the token");

    const auto in_url = try_open({.servers = {server.url("bob", "wrongword")}});
    check_refused(in_url, server, "user \"bob\"");
    CHECK_THAT(in_url.error().what(), !ContainsSubstring("wrongword"));
}

TEST_CASE("an nkey connects from memory and from a file") {
    NatsServer server{{.config = "authorization { users: [ { nkey: " + std::string{nkey_public} + " } ] }"}};
    const std::string seed{nkey_seed};
    CHECK(echoes(*connect(server, {.credentials = NkeySeed{seed}})));
    CHECK(echoes(*connect(server, {.credentials = NkeyFile{write_file(server, "seed", "# ours\n" + seed + "\n")}})));

    const std::string other{other_nkey_seed};
    check_refused(try_open(server, NkeySeed{other}), server, "nkey U");
    const auto file = write_file(server, "other", other);
    check_refused(try_open(server, NkeyFile{file}), server, file);
}

TEST_CASE("functions give token, user and password, and signatures, again at each reconnect") {
    std::atomic<int> calls = 0;
    std::atomic<bool> rotated = false;
    const auto user = [&] {
        ++calls;
        return rotated ? UserPassword{"bob", R"(n"e\w)"} : UserPassword{"bob", "old"};
    };
    NatsServer server{{.user = "bob", .password = "old"}};
    EventLog events;
    auto transport =
        connect(server, {.credentials = UserPasswordCallback{user}, .reconnect = {.min_wait = 1ms}}, events.sink());
    CHECK(echoes(*transport));
    rotated = true;
    server.restart({.config = R"(authorization { user: "bob", password: "n\"e\\w" })"});
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(calls > 2);

    NatsServer with_token{{.token = "s3cret"}};
    CHECK(echoes(*connect(with_token, {.credentials = TokenCallback{[] { return "s3cret"; }}})));
    NatsServer with_nkey{{.config = "authorization { users: [ { nkey: " + std::string{nkey_public} + " } ] }"}};
    CHECK(echoes(*connect(with_nkey, {.credentials = NkeyCallback{std::string{nkey_public}, sign_with_seed}})));
}

TEST_CASE("quotes, backslashes and control characters in user, password, token and name connect") {
    const std::string quoted = R"(a"b\c)";
    NatsServer server{{.config = R"(authorization { user: "bo\"b", password: "a\"b\\c" })"}};
    CHECK(echoes(*connect(server, {.name = "my \"service\"\n\\", .credentials = UserPassword{R"(bo"b)", quoted}})));
    CHECK(echoes(*nats_open("nats://bo%22b:a%22b%5Cc@127.0.0.1:" + std::to_string(server.port()))));
    NatsServer with_token{{.config = R"(authorization { token: "a\"b\\c" })"}};
    CHECK(echoes(*connect(with_token, {.credentials = Token{quoted}})));
    CHECK(echoes(*connect(with_token, {.credentials = TokenCallback{[&] { return quoted; }}})));
    CHECK(echoes(*nats_open("nats://a%22b%5Cc@127.0.0.1:" + std::to_string(with_token.port()))));
}

TEST_CASE("a file of credentials that is cut off fails at once and says so") {
    NatsServer server{{.config = operator_config()}};
    const auto content = creds_content();
    const auto file = write_file(server, "cut.creds", content.substr(0, content.size() / 2));
    const auto opened = try_open(server, CredsFile{file});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::bad_setup);
    CHECK_THAT(opened.error().what(), ContainsSubstring(file) && ContainsSubstring("USER"));
    const auto garbage = try_open(server, CredsMemory{"garbage"});
    REQUIRE_FALSE(garbage);
    CHECK(garbage.error().code() == Errc::bad_setup);
    CHECK_THAT(garbage.error().what(), ContainsSubstring("CredsMemory"));
}

TEST_CASE("an nkey also connects again after the server was away") {
    const ServerOptions options{.config = "authorization { users: [ { nkey: " + std::string{nkey_public} + " } ] }"};
    NatsServer server{options};
    EventLog events;
    auto transport = connect(server, {.credentials = NkeySeed{std::string{nkey_seed}}}, events.sink());
    server.kill();
    REQUIRE(events.wait_for(Kind::disconnected));
    server.restart();
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(echoes(*transport));
}

TEST_CASE("what is not an nkey is refused without showing it") {
    NatsServer server;
    auto seed = std::string{nkey_seed};
    SECTION("a wrong checksum") { seed.back() = seed.back() == 'A' ? 'B' : 'A'; }
    SECTION("a character that no nkey has") { seed[20] = '1'; }
    SECTION("a public key") { seed = nkey_public; }
    SECTION("nothing") { seed.clear(); }
    const auto opened = try_open(server, NkeySeed{seed});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::bad_setup);
    CHECK_THAT(opened.error().what(), ContainsSubstring("nkey seed"));
    if (!seed.empty()) CHECK_THAT(opened.error().what(), !ContainsSubstring(seed));
}

TEST_CASE("a user's JWT connects from a file and from memory") {
    NatsServer server{{.config = operator_config()}};
    CHECK(echoes(*connect(server, {.credentials = CredsFile{write_file(server, "user.creds", creds_content())}})));
    const auto wrong_seed = creds_content(user_jwt, other_nkey_seed);
    const auto file = write_file(server, "wrong.creds", wrong_seed);
    check_refused(try_open(server, CredsFile{file}), server, file);

    CHECK(echoes(*connect(server, {.credentials = CredsMemory{creds_content()}})));
    CHECK(echoes(*connect(server, {.credentials = JwtAndSeed{std::string{user_jwt}, std::string{nkey_seed}}})));
    CHECK(echoes(*connect(server, {.credentials = JwtCallback{[] { return std::string{user_jwt}; }, sign_with_seed}})));
    check_refused(try_open(server, CredsMemory{wrong_seed}), server, "the credentials");
}

TEST_CASE("files of credentials that cannot be used are named") {
    NatsServer server;
    const auto missing = (server.directory() / "no_such_file").string();
    const auto empty = write_file(server, "empty", "nothing here\n");
    const std::pair<Credentials, std::string> cases[] = {{CredsFile{missing}, "No such file"},
                                                         {NkeyFile{missing}, "No such file"},
                                                         {NkeyFile{empty}, "no line with a user's nkey seed"}};
    for (const auto& [credentials, why] : cases) {
        const auto opened = try_open(server, credentials);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code() == Errc::bad_setup);
        CHECK_THAT(opened.error().what(), ContainsSubstring(server.directory().string()) && ContainsSubstring(why));
    }
    const auto directory = try_open(server, CredsFile{server.directory().string()});
    CHECK_THAT(directory.error().what(), ContainsSubstring("Is a directory"));
}

TEST_CASE("with nothing listening it tries for as long as it is told, and then says where") {
    NatsServer server;
    server.stop();
    const auto begin = std::chrono::steady_clock::now();
    const auto opened = try_open({.servers = {server.url()}}, 300ms);
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::disconnected);
    CHECK_THAT(opened.error().what(),
               ContainsSubstring("cannot connect to " + server.url()) && ContainsSubstring("start nats-server there"));

    const auto once = try_open({.servers = {server.url()}}, 0ms);
    REQUIRE_FALSE(once);
    CHECK(once.error().code() == Errc::disconnected);
}

TEST_CASE("a server that comes up while it tries is found") {
    NatsServer server;
    server.stop();
    EventLog events;
    auto transport = nats_transport({.servers = {server.url()}});
    Expected<void> opened = failure(Errc::timeout, "");
    std::thread opener{[&] { opened = transport->open(long_wait, events.sink()); }};
    CHECK(eventually([&] { return events.count(Kind::waiting) == 1; }));  // once, however often it tries
    server.restart();
    opener.join();
    REQUIRE(opened);
    CHECK(events.kinds() == std::vector{Kind::waiting, Kind::connected});
    CHECK(echoes(*transport));
}

TEST_CASE("opening ends when the transport is closed") {
    NatsServer server;
    server.stop();
    auto transport = nats_transport({.servers = {server.url()}});
    Expected<void> opened;
    std::thread opener{[&] { opened = transport->open(long_wait, {}); }};
    std::this_thread::sleep_for(50ms);  // likely in the middle of it
    transport->close(0ms);
    opener.join();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::closed);
}

TEST_CASE("a host that does not resolve is named") {
    const auto opened = try_open({.servers = {"nats://no-such-host.invalid:4222"}}, 0ms);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::disconnected);
    CHECK_THAT(opened.error().what(), ContainsSubstring("cannot resolve the host \"no-such-host.invalid\""));
}

TEST_CASE("a server that accepts and does not answer is given up after the connect timeout") {
    NatsServer server;
    server.pause();
    const auto opened = try_open({.servers = {server.url()}, .connect_timeout = 100ms}, 0ms);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::disconnected);
    CHECK_THAT(opened.error().what(), ContainsSubstring(server.url()) && ContainsSubstring("100 ms"));
}

TEST_CASE("an address that answers nothing at all is given up after the connect timeout") {
    const FullListener listener;
    const auto url = "nats://127.0.0.1:" + std::to_string(listener.port());
    const auto begin = std::chrono::steady_clock::now();
    const auto opened = try_open({.servers = {url}, .connect_timeout = 100ms}, 0ms);
    CHECK(std::chrono::steady_clock::now() - begin >= 100ms);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::disconnected);
    CHECK_THAT(opened.error().what(),
               ContainsSubstring(url) && ContainsSubstring("no answer within the connect_timeout of 100 ms"));
}

TEST_CASE("the next server is taken when one is not there") {
    NatsServer gone;
    gone.stop();
    NatsServer server;
    auto transport = nats_transport({.servers = {gone.url(), server.url()}});
    value_or_raise(transport->open(20s, {}));
    CHECK(transport->server().url == server.url());
}

TEST_CASE("a malformed URL is refused with what is wrong, and without its password") {
    const auto [url, why] = GENERATE(table<std::string, std::string>({
        {"http://localhost:4222", "scheme"},
        {"ws://localhost:80", "WebSocket"},
        {"nats://localhost:abc", "port"},
        {"nats://localhost:0", "port"},
        {"nats://localhost:99999", "port"},
        {"nats://:4222", "host"},
        {"", "host"},
        {"nats://bob:topsecret@:4222", "host"},
        {"nats://bob:topsecret@two words:4222", "host"},
        {"nats://[::1:4222", "bracket"},
        {"nats://[::1]x:4222", "bracket"},
        {"nats://bob:topsecret%zz@localhost", "escape"},
        {"nats://localhost:4222?password=topsecret", "text after host and port"},
        {"nats://localhost:4222/topsecret", "text after host and port"},
    }));
    INFO(url);
    const auto opened = try_open({.servers = {url}});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::bad_setup);
    CHECK_THAT(opened.error().what(),
               ContainsSubstring(why) && ContainsSubstring("nats://host:4222") && !ContainsSubstring("topsecret"));
}

TEST_CASE("URLs may leave out scheme and port, and have a trailing slash") {
    NatsServer server;
    const auto port = std::to_string(server.port());
    for (const auto& url : {"127.0.0.1:" + port, "nats://127.0.0.1:" + port + "/", "localhost:" + port}) {
        INFO(url);
        CHECK(try_open({.servers = {url}}));
    }
}

TEST_CASE("before open and after a failed open everything is closed") {
    auto transport = nats_transport({.servers = {"nats://127.0.0.1:1"}});
    const auto check_closed = [&] {
        const auto published = transport->publish({.subject = "x"});
        REQUIRE_FALSE(published);
        CHECK(published.error().code() == Errc::closed);
        CHECK_THAT(published.error().what(), StartsWith("cannot publish to \"x\"") && ContainsSubstring("not started"));
        const auto subscribed = transport->subscribe({.subject = "x"}, std::make_shared<Inbox>());
        REQUIRE_FALSE(subscribed);
        CHECK(subscribed.error().code() == Errc::closed);
        CHECK(transport->flush(1s).error().code() == Errc::closed);
        CHECK(transport->drain_deliveries(1s));
        CHECK(transport->server().url.empty());
        CHECK(transport->stats().out_messages == 0);
    };
    check_closed();
    CHECK_FALSE(transport->open(0ms, {}));
    check_closed();
    transport->close(1s);
    check_closed();
}

TEST_CASE("a server that asks for no signature takes a client that could give one") {
    NatsServer server;
    CHECK(echoes(*connect(server, {.credentials = NkeySeed{std::string{nkey_seed}}})));
    CHECK(echoes(*connect(server, {.credentials = CredsMemory{creds_content()}})));
}
