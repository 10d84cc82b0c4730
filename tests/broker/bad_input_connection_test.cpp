// SPDX-License-Identifier: Apache-2.0
// Servers that are absent, refuse, or go: what start(), publish and request say, and that none of them hangs.
#include <chrono>
#include <future>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/native.hpp>

#include "../support/doorstep.hpp"
#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;
using Kind = ConnectionEvent::Kind;

namespace {

constexpr auto for_ever = std::chrono::milliseconds{1h};  // longer than a test may take

Error start_error(Broker& broker) {
    try {
        broker.start();
    } catch (const Error& error) { return error; }
    FAIL("it started");
    return {Errc::bad_setup, ""};
}

}  // namespace

TEST_CASE("wrong credentials fail at once with the server's reason, and without the password") {
    testing::NatsServer server{{.user = "billing", .password = "right"}};
    testing::LogLines log;
    const bool in_url = GENERATE(false, true);
    const Credentials credentials =
        in_url ? Credentials{} : GENERATE(Credentials{}, UserPassword{"billing", "hunter2"}, Token{"hunter2"});
    const BrokerOptions options{.servers = {in_url ? server.url("billing", "hunter2") : server.url()},
                                .credentials = credentials,
                                .start_timeout = for_ever,  // what is refused is not tried again
                                .logger = log.logger()};
    Broker broker{options};
    const auto error = start_error(broker);
    CHECK(error.code() == Errc::unauthorized);
    CHECK(error.code() == Condition::bad_setup);
    CHECK_THAT(error.what(), ContainsSubstring("Authorization Violation"));
    CHECK_THAT(error.what(), ContainsSubstring("nats://127.0.0.1:" + std::to_string(server.port())));
    CHECK_THAT(error.what(), !ContainsSubstring("hunter2"));
    CHECK(log.find("hunter2").empty());
    CHECK_FALSE(broker.running());
}

TEST_CASE("App says why it could not start, and returns 1") {
    testing::NatsServer server{{.user = "billing", .password = "right"}};
    testing::LogLines log;
    Broker broker{{.servers = {server.url("billing", "hunter2")}, .start_timeout = for_ever, .logger = log.logger()}};
    char program[] = "service";
    char* arguments[] = {program, nullptr};
    CHECK(App{broker}.run(1, arguments) == 1);
    CHECK_THAT(log.find("critical: "), ContainsSubstring("refused user \"billing\": Authorization Violation"));
    CHECK(log.find("hunter2").empty());
}

TEST_CASE("a server that is not there: start fails after its timeout, naming the server") {
    testing::NatsServer server;
    const auto url = server.url();
    const auto with_password = server.url("billing", "hunter2");
    server.stop();
    const auto timeout = GENERATE(0ms, 300ms);
    testing::LogLines log;
    Broker broker{{.servers = {with_password}, .start_timeout = timeout, .logger = log.logger()}};
    const auto error = start_error(broker);
    CHECK(error.code() == Errc::disconnected);
    CHECK_THAT(error.what(), ContainsSubstring(url));
    CHECK_THAT(error.what(), ContainsSubstring("start nats-server there, or check the URL"));
    CHECK_THAT(error.what(), !ContainsSubstring("hunter2"));
    CHECK(broker.try_publish("orders", "").error().code() == Errc::closed);
    const auto lines = log.all();
    REQUIRE(lines.size() == (timeout == 0ms ? 0 : 1));  // it is told once that it goes on trying
    if (timeout == 0ms) return;
    CHECK_THAT(lines[0], ContainsSubstring("warning: waiting: cannot connect to " + url) &&
                             ContainsSubstring("start nats-server there, or check the URL; trying again for 300 ms"));
}

TEST_CASE("a server that comes up later is found") {
    testing::NatsServer server;
    server.stop();
    Broker broker{{.servers = {server.url()}, .start_timeout = for_ever}};
    auto inbox = broker.subscriber("orders").messages();
    auto starting = std::async(std::launch::async, [&] { broker.start(); });
    {
        const testing::Doorstep nobody{server.port()};
        REQUIRE(nobody.turn_away());  // it has tried
    }
    server.restart();
    starting.get();
    broker.publish("orders", "hello");
    CHECK(inbox.next(20s)->text() == "hello");
}

TEST_CASE("stop ends a start that waits for a server") {
    testing::NatsServer server;
    server.stop();
    Broker broker{{.servers = {server.url()}, .start_timeout = for_ever}};
    auto starting = std::async(std::launch::async, [&] { return start_error(broker); });
    {
        const testing::Doorstep nobody{server.port()};
        REQUIRE(nobody.turn_away());
    }
    broker.stop();
    CHECK(starting.get().code() == Errc::closed);
    CHECK_FALSE(broker.running());
}

TEST_CASE("a URL that is none is refused at once, without the password in it") {
    const auto url =
        GENERATE("http://bob:hunter2@localhost", "nats://bob:hunter2@localhost:notaport", "nats://bob:hunter2@");
    CAPTURE(url);
    try {
        Broker broker{{.servers = {url}, .start_timeout = for_ever}};
        broker.start();
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::bad_setup);
        CHECK_THAT(error.what(), !ContainsSubstring("hunter2"));
    }
}

TEST_CASE("a broker that does not run refuses everything, and says what to do") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}, .request_timeout = for_ever}};
    auto text = broker.publisher<std::string>("orders");
    auto add = broker.client<Sum(const Add&)>("add");
    const auto check = [&](const std::string& what_to_do) {
        const auto closed = [&](const Error& error) {
            CHECK(error.code() == Errc::closed);
            CHECK(error.code() == Condition::disconnected);
            CHECK_THAT(error.what(), ContainsSubstring(what_to_do));
        };
        closed(broker.try_publish("orders", Order{}).error());
        closed(text.try_publish("").error());
        closed(broker.try_request<Sum>("add", Add{}).error());
        closed(add.try_call(Add{}).error());
        closed(broker.request_many<Sum>("add", Add{}).next()->error());
        CHECK_THROWS_AS(add.async(Add{}).get(), Error);
        CHECK_THROWS_AS(broker.ping(), Error);
        CHECK_THROWS_AS(broker.publish("orders", Order{}), Error);
        CHECK(broker.stats().requests_in_flight == 0);
    };
    check("\": the broker was not started; call start() or run() first");
    broker.start();
    CHECK(broker.try_publish("orders", Order{}));
    CHECK(broker.stop());
    check("\": the broker was stopped");
    CHECK(broker.stop());
}

TEST_CASE("while the server is gone publications are kept, then refused, and go on when it is back") {
    testing::NatsServer server;
    testing::EventLog events;
    constexpr std::size_t buffer = 64 << 10;
    const std::string body(1'000, 'x');
    Broker broker{{.servers = {server.url()}, .reconnect = {.buffer_bytes = buffer}, .on_event = events.sink()}};
    broker.start();
    server.kill();
    REQUIRE(events.wait_for(Kind::disconnected));
    // The event is of the connection that noticed first; this is about the one that publishes.
    REQUIRE(eventually([&] { return natsConnection_IsReconnecting(native::connection(broker)); }));

    std::size_t kept = 0;
    Expected<void> published;
    for (; kept < buffer; ++kept) {
        published = broker.try_publish("orders", body);
        if (!published) break;
    }
    REQUIRE_FALSE(published);
    CHECK(published.error().code() == Errc::buffer_full);
    CHECK(published.error().code() == Condition::disconnected);
    CHECK_THAT(published.error().what(), ContainsSubstring("\"orders\""));
    CHECK_THAT(published.error().what(), ContainsSubstring("65536 bytes of ReconnectOptions::buffer_bytes"));
    CHECK(kept > 0);
    CHECK(kept * body.size() <= buffer);
    CHECK(broker.try_request<Sum>("add", Add{}, {.timeout = for_ever}).error().code() == Errc::buffer_full);
    CHECK_THROWS_AS(broker.ping(100ms), Error);

    server.restart();
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(eventually([&] { return broker.try_publish("orders", body).has_value(); }));
    CHECK(broker.ping(20s) > 0ns);
}

TEST_CASE("the longest timeouts are for ever, not over at once") {
    testing::NatsServer server;
    constexpr auto longest = std::chrono::milliseconds::max();
    Broker broker{{.servers = {server.url()}, .stop_timeout = longest, .request_timeout = longest}};
    broker.subscriber<"add">({.workers = 2}).handle([](const Add& add) { return Sum{add.a + add.b}; });
    broker.start();
    CHECK(broker.request<Sum>("add", Add{1, 2}).value == 3);
    CHECK(broker.client<Sum(const Add&)>("add", {.timeout = longest}).async(Add{3, 4}).get().value == 7);
    CHECK(broker.request_many<Sum>("add", Add{5, 6}, {.timeout = longest, .max_replies = 1}).next()->value().value ==
          11);
    CHECK(broker.stop());
}

TEST_CASE("a broker whose server is gone stops all the same") {
    testing::NatsServer server;
    testing::EventLog events;
    Broker broker{{.servers = {server.url()}, .on_event = events.sink()}};
    broker.subscriber("orders").handle([](std::string_view) {});
    broker.subscriber("jobs", {.workers = 2}).handle([](std::string_view) {});
    broker.start();
    auto pending =
        std::async(std::launch::async, [&] { return broker.try_request<Sum>("orders", Add{}, {.timeout = for_ever}); });
    REQUIRE(eventually([&] { return broker.stats().requests_in_flight == 1; }));
    server.kill();
    REQUIRE(events.wait_for(Kind::disconnected));
    broker.stop(for_ever);
    CHECK(pending.get().error().code() == Errc::closed);
    CHECK(events.count(Kind::closed) == 1);
}
