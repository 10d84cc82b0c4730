// SPDX-License-Identifier: Apache-2.0
// Mistakes of the program that only show when it runs: what start() and the calls around it say.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;
using testing::eventually;

namespace {

struct Database {};

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    testing::LogLines log = {};
    Broker broker{{.servers = {server.url()}, .logger = log.logger()}};
};

/// What `call` throws.
template <class Call>
Error error_of(Call call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    FAIL("nothing was thrown");
    return {Errc::bad_setup, ""};
}

}  // namespace

TEST_CASE("start reports every mistake of the setup at once, and nothing runs then") {
    Broker broker{{.servers = {"nats://127.0.0.1:1"}}};  // not reached: the mistakes are found before
    broker.subscriber("orders..created").handle([](std::string_view) {});
    broker.subscriber("users.{id}").handle([](Path<"name">) {});
    broker.subscriber("accounts").handle([](Inject<Database>) {});
    broker.subscriber("bills", {.queue = "two words"}).handle([](std::string_view) {});
    broker.subscriber("lines.{id}", {.workers = 2, .ordered_by = "key"}).handle([](std::string_view) {});
    broker.subscriber("parts.{id}").publish_to("done.{number}").handle([](std::string_view text) { return text; });
    broker.subscriber("tasks").publish_to("done.*").handle([](std::string_view text) { return text; });

    const auto error = error_of([&] { broker.start(); });
    const std::string text = error.what();
    CHECK(error.code() == Errc::bad_setup);
    CHECK_THAT(text, ContainsSubstring("the broker cannot start:\n  - "));
    CHECK_THAT(text, ContainsSubstring("\"orders..created\""));
    CHECK_THAT(text, ContainsSubstring(
                         "subscriber \"users.{id}\": a parameter is Path<\"name\">, but the subject has no {name}"));
    CHECK_THAT(text, ContainsSubstring("subscriber \"accounts\": a parameter is Inject<"));
    CHECK_THAT(text, ContainsSubstring("Database>, but nothing was provided; call broker.provide("));
    CHECK_THAT(text, ContainsSubstring("subscriber \"bills\": its queue group \"two words\" has spaces"));
    CHECK_THAT(text,
               ContainsSubstring("subscriber \"lines.{id}\": ordered_by names {key}, which the subject does not have"));
    CHECK_THAT(text, ContainsSubstring("publish_to \"done.{number}\" names {number}, which the subject does not have"));
    CHECK_THAT(text, ContainsSubstring("subscriber \"tasks\": publish_to: "));
    CHECK_THAT(text, ContainsSubstring("\"done.*\""));

    CHECK_FALSE(broker.running());
    CHECK(broker.try_publish("orders", "").error().code() == Errc::closed);
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "a broker starts once") {
    broker.start();
    auto error = error_of([&] { broker.start(); });
    CHECK(error.code() == Errc::bad_setup);
    CHECK_THAT(error.what(), Equals("start: the broker was started already"));
    CHECK(broker.ping() > 0ns);

    CHECK(broker.stop());
    error = error_of([&] { broker.start(); });
    CHECK(error.code() == Errc::bad_setup);
    CHECK_THAT(error.what(), Equals("start: the broker was stopped; make a new one to start again"));
}

TEST_CASE_METHOD(Fixture, "a broker that was stopped before it ran does not start") {
    CHECK(broker.stop());
    CHECK_THAT(error_of([&] { broker.start(); }).what(), ContainsSubstring("was stopped; make a new one"));
    CHECK_THAT(error_of([&] { broker.run(); }).what(), ContainsSubstring("was stopped; make a new one"));
}

TEST_CASE_METHOD(Fixture, "objects are provided before the start") {
    broker.start();
    const auto error = error_of([&] { broker.provide(Database{}); });
    CHECK(error.code() == Errc::bad_setup);
    CHECK_THAT(error.what(), ContainsSubstring("provide: the broker was started already"));
}

TEST_CASE_METHOD(Fixture, "a subscriber added while the broker runs is checked at once") {
    broker.start();
    const auto error = error_of([&] { broker.subscriber("users.{id}", {.queue = "a b"}).handle([](Path<"name">) {}); });
    CHECK(error.code() == Errc::bad_setup);
    CHECK_THAT(error.what(),
               ContainsSubstring("the subscriber cannot start:\n  - subscriber \"users.{id}\": a parameter is"));
    CHECK_THAT(error.what(), ContainsSubstring("\n  - subscriber \"users.{id}\": its queue group \"a b\""));
    CHECK(broker.stats().subscribers == 0);

    auto fine = broker.subscriber("users.{id}").messages();
    broker.publish("users.7", "hello");
    CHECK(fine.next(10s)->text() == "hello");

    broker.stop();
    const auto closed = error_of([&] { broker.subscriber("users").handle([](std::string_view) {}); });
    CHECK(closed.code() == Errc::closed);
    CHECK_THAT(closed.what(), Equals("subscriber \"users\": the broker was stopped; declare it on a new one"));
}

TEST_CASE_METHOD(Fixture, "a subscriber that is stopped before the broker starts does not start") {
    auto off = broker.subscriber("events").handle([](std::string_view) {});
    auto on = broker.subscriber("events").messages();
    off.stop();
    broker.start();
    broker.publish("events", "hello");
    CHECK(on.next(10s)->text() == "hello");
    CHECK(broker.stop());
    CHECK(off.stats().received == 0);
}

TEST_CASE("subscriptions that the server refuses fail the start, all of them named with the server's reason") {
    testing::NatsServer server{{.config =
                                    "authorization { users: [ { user: u, password: p, permissions: { publish: \">\", "
                                    "subscribe: { allow: [\"orders.>\", \"shared pool\", \"_INBOX.>\"] } } } ] }"}};
    const BrokerOptions options{.servers = {server.url("u", "p")}};
    {
        Broker broker{options};
        broker.subscriber("orders.{id}").handle([](std::string_view) {});
        broker.subscriber("secret.{id}").handle([](std::string_view) {});
        broker.subscriber("shared", {.queue = "pool"}).handle([](std::string_view) {});
        broker.subscriber("shared", {.queue = "others"}).handle([](std::string_view) {});
        auto stream = broker.subscriber("hidden").messages();
        const auto error = error_of([&] { broker.start(); });
        CHECK(error.code() == Errc::unauthorized);
        const std::string text = error.what();
        CHECK_THAT(text, ContainsSubstring("\n  - the server refused the subscription of \"secret.*\": "
                                           "Permissions Violation for Subscription to \"secret.*\""));
        CHECK_THAT(text, ContainsSubstring("to \"hidden\""));
        CHECK_THAT(text, ContainsSubstring("to \"shared\" using queue \"others\""));
        CHECK_THAT(text, !ContainsSubstring("\"pool\""));
        CHECK_THAT(text, !ContainsSubstring("orders"));
        CHECK_FALSE(broker.running());
        CHECK_FALSE(stream.next());
    }
    Broker broker{options};
    auto orders = broker.subscriber("orders.{id}").messages();
    broker.start();
    const auto error = error_of([&] { broker.subscriber("secret.{id}").handle([](std::string_view) {}); });
    CHECK(error.code() == Errc::unauthorized);
    CHECK(broker.stats().subscribers == 1);
    broker.publish("orders.1", "hello");
    CHECK(orders.next(20s)->text() == "hello");
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "a bad subject is refused by every call that takes one, and named") {
    broker.start();
    for (const std::string subject : {"orders.*", "orders.>", "", "two words", "orders..eu", "orders.\n", "orders."}) {
        CAPTURE(subject);
        const auto refused = [&](const Error& error) {
            CHECK(error.code() == Errc::bad_subject);
            CHECK(error.code() == Condition::bad_setup);
            if (subject == "two words") CHECK_THAT(error.what(), ContainsSubstring("\"two words\""));
        };
        refused(broker.try_publish(subject, "").error());
        refused(broker.try_request<std::string>(subject, "").error());
        refused(broker.request_many<std::string>(subject, "").next()->error());
        refused(error_of([&] { broker.client<void()>(subject); }));
        refused(error_of([&] { broker.publisher<std::string>(subject); }));
        if (!subject.empty()) refused(broker.try_publish("orders", "", {.reply_to = subject}).error());
    }
    CHECK(broker.ping() > 0ns);
}

TEST_CASE_METHOD(Fixture,
                 "a deadline that has passed ends a request unsent; a client that has none but such is refused") {
    broker.subscriber<"echo">().handle([](std::string_view body) { return std::string{body}; });
    broker.start();
    const auto late = broker.try_request<std::string>("echo", "x", {.timeout = -5ms}).error();
    CHECK(late.code() == Errc::timeout);
    CHECK_THAT(late.what(), ContainsSubstring("request on \"echo\": not sent, since its timeout is -5 ms"));
    CHECK(broker.request_many<std::string>("echo", "x", {.timeout = -5ms}).next()->error().code() == Errc::timeout);
    const auto refused = error_of([&] { broker.client<void()>("echo", {.timeout = -5ms}); });
    CHECK(refused.code() == Errc::bad_setup);
    CHECK_THAT(refused.what(), ContainsSubstring("client of \"echo\": its timeout is -5 ms"));
    CHECK(broker.stats().received == 0);
}

TEST_CASE_METHOD(Fixture, "a publisher refuses tokens that would change the subject") {
    broker.start();
    auto orders = broker.publisher<std::string, "orders.{region}.{id}">();
    for (const std::string token : {"", "e u", "e.u", "*", ">", "e\nu"}) {
        CAPTURE(token);
        CHECK(orders.try_publish("", token, 1).error().code() == Errc::bad_subject);
    }
    auto untyped = broker.publisher<std::string>("orders.{region}.{id}");
    CHECK(untyped.try_publish("", "eu").error().code() == Errc::bad_subject);
    CHECK(untyped.try_publish("", "eu", 1, 2).error().code() == Errc::bad_subject);
    CHECK(untyped.try_publish("", "eu", 1));
}

TEST_CASE_METHOD(Fixture, "a header that NATS cannot carry is refused") {
    broker.start();
    CHECK(error_of([&] { broker.publish("orders", "", {.headers = {{"a name", "v"}}}); }).code() == Errc::bad_header);
    CHECK(error_of([&] { broker.publish("orders", "", {.headers = {{"name:", "v"}}}); }).code() == Errc::bad_header);
    CHECK(error_of([&] { broker.publish("orders", "", {.headers = {{"name", "line\r\nother: x"}}}); }).code() ==
          Errc::bad_header);
}

TEST_CASE("of two brokers that run at the same time the second is told so, the first goes on") {
    testing::NatsServer server;
    testing::LogLines log;
    Broker first{{.servers = {server.url()}}};
    Broker second{{.servers = {server.url()}, .logger = log.logger()}};
    auto running = std::async(std::launch::async, [&] { first.run(); });
    REQUIRE(eventually([&] { return first.running(); }));

    char program[] = "service";
    char* arguments[] = {program, nullptr};
    CHECK(App{second}.run(1, arguments) == 1);
    CHECK_THAT(log.find("critical: "), ContainsSubstring("run: another broker or App of this process is in run()"));
    CHECK_FALSE(second.running());
    second.start();
    CHECK(second.ping() > 0ns);

    CHECK(first.ping() > 0ns);
    first.stop();
    running.get();
    CHECK(second.ping() > 0ns);
}

TEST_CASE("brokers that are run at the same moment: one wins") {
    testing::NatsServer server;
    constexpr int count = 4;
    std::vector<std::unique_ptr<Broker>> brokers;
    for (int i = 0; i < count; ++i)
        brokers.push_back(std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}}));
    std::atomic<int> refused = 0;
    std::vector<std::jthread> threads;
    for (auto& broker : brokers) {
        threads.emplace_back([&] {
            try {
                broker->run();
            } catch (const Error& error) {
                if (error.code() == Errc::bad_setup) ++refused;
            }
        });
    }
    CHECK(eventually([&] { return refused == count - 1; }));
    CHECK(eventually([&] {
        return std::ranges::any_of(brokers, [](const auto& broker) { return broker->running(); });
    }));
    for (auto& broker : brokers) broker->stop();
}

TEST_CASE("what the server refuses on both connections does not hold up what comes after") {
    testing::NatsServer server{{.config =
                                    "authorization { users: [ { user: u, password: p, permissions: { publish: "
                                    "{ deny: \"secret.*\" }, subscribe: { deny: [\"hidden\", \"covert\"] } } } ] }"}};
    Broker broker{{.servers = {server.url("u", "p")}, .connect_timeout = 30s}};
    broker.start();
    for (int n = 0; n < 2; ++n) {
        broker.publish("secret." + std::to_string(n), "");
        CHECK(error_of([&] { broker.subscriber("hidden").handle([](std::string_view) {}); }).code() ==
              Errc::unauthorized);
        CHECK(error_of([&] { broker.subscriber("covert").handle([](std::string_view) {}); }).code() ==
              Errc::unauthorized);
    }
    auto pinged = std::async(std::launch::async, [&] { return broker.ping(30s); });
    CHECK(pinged.wait_for(15s) == std::future_status::ready);
    auto declared = std::async(std::launch::async, [&] { broker.subscriber("open").handle([](std::string_view) {}); });
    CHECK(declared.wait_for(15s) == std::future_status::ready);
}
