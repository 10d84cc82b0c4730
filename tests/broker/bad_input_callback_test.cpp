// SPDX-License-Identifier: Apache-2.0
// Handlers and callbacks that throw, block, or turn on the broker that calls them.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using testing::eventually;
using Kind = ConnectionEvent::Kind;

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    testing::LogLines log = {};
    Broker broker{{.servers = {server.url()}, .stop_timeout = 1h, .logger = log.logger()}};
};

/// Its extractor throws.
struct Unbindable {};

const SubscriberOptions plain = {};
const SubscriberOptions workers = {.workers = 3};
const SubscriberOptions ordered = {.workers = 3, .ordered_by = "n"};
const SubscriberOptions dedicated = {.dedicated = true};

}  // namespace

template <>
struct freshet::Extractor<Unbindable> {
    using Plan = int;
    static Plan bind(Binder&) { throw std::logic_error{"no plan"}; }
    static Expected<Unbindable> extract(Plan, Context&) { return Unbindable{}; }
};

TEST_CASE("an on_event that throws is logged, and the broker goes on") {
    testing::NatsServer server;
    testing::LogLines log;
    testing::EventLog events;
    const bool exception = GENERATE(true, false);
    Broker broker{{.servers = {server.url()}, .logger = log.logger(), .on_event = [&](const ConnectionEvent& event) {
                       events.sink()(event);
                       if (exception) throw std::runtime_error{"no pager today"};
                       throw 42;
                   }}};
    auto inbox = broker.subscriber("orders").messages();
    broker.start();
    server.kill();
    server.restart();
    REQUIRE(events.wait_for(Kind::reconnected));
    broker.publish("orders", "hello");
    const auto hello = inbox.next(20s);
    REQUIRE(hello);
    CHECK(hello->text() == "hello");
    CHECK(log.wait_for("on_event threw") ==
          (exception ? "error: on_event threw: std::runtime_error: no pager today"
                     : "error: on_event threw: int: an exception that is not a std::exception"));
    CHECK(broker.stop());
}

TEST_CASE("on_event is called by one thread at a time") {
    testing::NatsServer server;
    constexpr int floods = 4;
    std::atomic<bool> inside = false;
    std::atomic<int> overlaps = 0;
    std::atomic<int> slow = 0;
    std::binary_semaphore release{0};
    Broker broker{
        {.servers = {server.url()}, .delivery_threads = floods, .on_event = [&](const ConnectionEvent& event) {
             if (inside.exchange(true)) ++overlaps;
             if (event.kind == Kind::slow_consumer) ++slow;
             for (int i = 0; i < 100; ++i) std::this_thread::yield();
             inside = false;
         }}};
    std::promise<void> open;
    const auto opened = open.get_future().share();
    for (int i = 0; i < floods; ++i)
        broker.subscriber<"flood">({.dedicated = true, .max_pending_messages = 1}).handle([opened] { opened.wait(); });
    broker.start();
    for (int i = 0; i < 5; ++i) {  // one runs, one waits: the third is too many, for all of them at the same time
        broker.publish("flood", "");
        broker.ping(20s);
    }
    CHECK(eventually([&] { return slow >= floods; }));
    open.set_value();
    broker.stop();
    CHECK(overlaps == 0);
}

TEST_CASE_METHOD(Fixture, "a handler stops the broker: what has arrived is handled and answered, then it ends") {
    const auto options = GENERATE(plain, workers, ordered, dedicated);
    std::atomic<int> handled = 0;
    broker.subscriber("stop.{n}", options).handle([&](std::string_view, Broker& own) {
        ++handled;
        own.stop();
        own.stop(1ms);
        return std::string{"stopping"};
    });
    std::atomic<bool> ended = false;
    auto running = std::async(std::launch::async, [&] {
        broker.run();
        ended = true;
    });
    REQUIRE(eventually([&] { return broker.running(); }));
    Broker caller{{.servers = {server.url()}}};
    caller.start();
    CHECK(caller.request<std::string>("stop.1", "", {.timeout = 30s}) == "stopping");
    running.get();
    CHECK_FALSE(broker.running());
    CHECK(handled == 1);
    CHECK(broker.stop());
    CHECK(broker.try_publish("orders", "").error().code() == Errc::closed);
}

TEST_CASE_METHOD(Fixture, "a handler stops its own subscriber: what has arrived is handled, the others go on") {
    const auto options = GENERATE(plain, workers, ordered, dedicated);
    std::optional<Subscriber> own;
    std::atomic<int> handled = 0;
    std::promise<void> go;
    const auto began = go.get_future().share();
    own = broker.subscriber("once.{n}", options).handle([&, began](std::string_view) {
        began.wait();
        own->stop();
        ++handled;
    });
    auto other = broker.subscriber("once.*").messages();
    broker.start();
    for (int i = 0; i < 3; ++i) broker.publish("once." + std::to_string(i), "");
    for (int i = 0; i < 3; ++i) REQUIRE(other.next(20s));
    REQUIRE(eventually([&] { return own->stats().received + own->stats().pending == 3; }));
    go.set_value();
    REQUIRE(eventually([&] { return handled == 3; }));

    own->stop();  // again, from outside, where it waits for the end
    broker.publish("once.9", "");
    CHECK(other.next(20s)->subject() == "once.9");
    CHECK(own->stats().received == 3);
    CHECK(broker.stop());
    CHECK(handled == 3);
}

TEST_CASE_METHOD(Fixture, "a handler stops and destroys another broker") {
    auto other = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}, .stop_timeout = 1h});
    auto inbox = other->subscriber("other").messages();
    other->start();
    broker.subscriber<"end.other">({.dedicated = true}).handle([&](std::string_view) {
        inbox.stop();
        other->stop();
        other.reset();
        return std::string{"gone"};
    });
    broker.start();
    CHECK(broker.request<std::string>("end.other", "", {.timeout = 30s}) == "gone");
    CHECK(broker.stop());
}

TEST_CASE("on_event stops the broker") {
    testing::NatsServer server;
    Broker* broker = nullptr;
    std::atomic<bool> stopped = false;
    Broker own{{.servers = {server.url()}, .on_event = [&](const ConnectionEvent& event) {
                    if (event.kind != Kind::disconnected) return;
                    broker->stop();
                    stopped = true;
                }}};
    broker = &own;
    auto inbox = own.subscriber("orders").messages();
    own.start();
    server.kill();
    CHECK_FALSE(inbox.next());  // until the subscription has ended
    CHECK(eventually([&] { return stopped && !own.running(); }));
}

TEST_CASE("on_event stops the broker while it starts") {
    testing::NatsServer server;
    Broker* broker = nullptr;
    Broker own{{.servers = {server.url()}, .on_event = [&](const ConnectionEvent& event) {
                    if (event.kind == Kind::connected) broker->stop();
                }}};
    broker = &own;
    own.subscriber("orders").handle([](std::string_view) {});
    const bool run = GENERATE(false, true);
    if (run) {
        own.run();
    } else {
        try {
            own.start();
            FAIL("it started");
        } catch (const Error& error) {
            CHECK(error.code() == Errc::closed);
            CHECK_THAT(error.what(), ContainsSubstring("start: the broker was stopped before it ran"));
        }
    }
    CHECK_FALSE(own.running());
}

TEST_CASE_METHOD(Fixture, "an extractor that throws when it is bound ends start and run, which do not hang") {
    broker.subscriber("orders").handle([](Unbindable) {});
    CHECK_THROWS_AS(broker.run(), std::logic_error);
    CHECK_FALSE(broker.running());
    CHECK_THROWS_AS(broker.start(), Error);
}

TEST_CASE_METHOD(Fixture, "an answer's callback that throws is logged, and later answers come") {
    broker.subscriber<"echo">().handle([](std::string_view text) { return std::string{text}; });
    broker.start();
    const auto echo = broker.client<std::string(std::string)>("echo");
    echo.async("a", [](const Expected<std::string>&) { throw std::runtime_error{"no room for the answer"}; });
    echo.async("b", [](const Expected<std::string>&) { throw 42; });
    CHECK_THAT(log.wait_for("no room for the answer"), StartsWith("error: "));
    CHECK_THAT(log.wait_for("not a std::exception"), ContainsSubstring("\"echo\""));
    CHECK(echo("c") == "c");
    CHECK(broker.stats().requests_in_flight == 0);
}

TEST_CASE_METHOD(Fixture, "an ordered_by function that throws rejects the message, and the next one is handled") {
    std::atomic<int> handled = 0;
    auto subscriber = broker
                          .subscriber<"keyed">({.workers = 2,
                                                .ordered_by = [](const Message& message) -> std::size_t {
                                                    if (message.text() == "exception")
                                                        throw std::runtime_error{"no key"};
                                                    if (message.text() == "int") throw 42;
                                                    return message.text().size();
                                                }})
                          .handle([&](std::string_view text) {
                              ++handled;
                              return std::string{text};
                          });
    broker.start();
    CHECK(broker.request<std::string>("keyed", "fine", {.timeout = 30s}) == "fine");
    for (const auto* text : {"exception", "int"}) {
        const auto error = broker.try_request<std::string>("keyed", text, {.timeout = 30s}).error();
        CHECK(error.remote_code() == 400);
    }
    CHECK_THAT(log.wait_for("no key"), StartsWith("error: message rejected: "));
    CHECK(subscriber.stats().received == 3);
    CHECK(subscriber.stats().rejected == 2);
    CHECK(handled == 1);
}

TEST_CASE_METHOD(Fixture, "a handler that asks itself while it is the only one gets a timeout, not a deadlock") {
    broker.subscriber<"mirror">().handle([](std::string_view, Broker& own) {
        return own.try_request<std::string>("mirror", "", {.timeout = 50ms}).has_value() ? std::string{"?"}
                                                                                         : std::string{"alone"};
    });
    broker.start();
    CHECK(broker.request<std::string>("mirror", "", {.timeout = 30s}) == "alone");
}
