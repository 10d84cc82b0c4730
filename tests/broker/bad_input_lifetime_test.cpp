// SPDX-License-Identifier: Apache-2.0
// Brokers that end at bad moments: with messages and requests in flight, with handlers that do not return.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::eventually;

namespace {

const SubscriberOptions plain = {};
const SubscriberOptions workers = {.workers = 2};
const SubscriberOptions dedicated = {.dedicated = true};

/// A door that handlers wait at.
class Gate {
public:
    void pass() const { opened_.wait(); }
    void open() { open_.set_value(); }

private:
    std::promise<void> open_ = {};
    std::shared_future<void> opened_ = open_.get_future().share();
};

/// Publishes to a subject as fast as it can while it lives.
class Flood {
public:
    Flood(Broker& broker, std::string subject)
        : thread_{[&broker, subject = std::move(subject)](const std::stop_token& stop) {
              while (!stop.stop_requested()) std::ignore = broker.try_publish(subject, "x");
          }} {}

private:
    std::jthread thread_;
};

}  // namespace

TEST_CASE("a broker destroyed with messages in flight: no handler runs afterwards") {
    testing::NatsServer server;
    const auto options = GENERATE(plain, workers, dedicated);
    const bool drop = GENERATE(false, true);
    Broker source{{.servers = {server.url()}}};
    source.start();
    std::atomic<bool> gone = false;
    std::atomic<int> handled = 0;
    std::atomic<int> late = 0;
    auto broker = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()},
                                                         .stop_timeout = drop ? std::chrono::milliseconds{0} : 1h});
    broker->subscriber("work", options).publish_to("done").handle([&](std::string_view text) {
        if (gone) ++late;
        ++handled;
        return std::string{text};
    });
    broker->start();
    const Flood flood{source, "work"};
    REQUIRE(eventually([&] { return handled > 1'000; }));
    broker.reset();
    gone = true;
    CHECK(source.ping(20s) > 0ns);
    CHECK(late == 0);
}

TEST_CASE("a broker destroyed with requests in flight: each caller gets Errc::closed") {
    testing::NatsServer server;
    Broker service{{.servers = {server.url()}}};
    service.subscriber<"mute">({.no_reply = true}).handle([](std::string_view) {});
    service.start();
    auto broker = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}, .request_timeout = 1h});
    broker->start();

    constexpr std::size_t callers = 4;
    constexpr std::size_t futures = 100;
    const auto mute = broker->client<std::string(std::string)>("mute");
    std::vector<std::future<Expected<std::string>>> blocked;
    for (std::size_t i = 0; i < callers; ++i)
        blocked.push_back(std::async(std::launch::async, [mute] { return mute.try_call(""); }));
    std::vector<std::future<std::string>> pending;
    for (std::size_t i = 0; i < futures; ++i) pending.push_back(mute.async(""));
    std::atomic<int> called_back = 0;
    mute.async("", [&](const Expected<std::string>& answer) {
        if (!answer && answer.error().code() == Errc::closed) ++called_back;
    });
    REQUIRE(eventually([&] { return broker->stats().requests_in_flight == callers + futures + 1; }));

    broker.reset();
    for (auto& one : blocked) {
        const auto answer = one.get();
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code() == Errc::closed);
        CHECK_THAT(answer.error().what(), ContainsSubstring("no answer from \"mute\": the broker was stopped"));
    }
    for (auto& one : pending) {
        try {
            one.get();
            FAIL("nobody answers");
        } catch (const Error& error) { CHECK(error.code() == Errc::closed); }
    }
    CHECK(called_back == 1);
}

TEST_CASE("a range of answers ends when the broker stops") {
    testing::NatsServer server;
    Broker broker{{.servers = {server.url()}, .request_timeout = 1h}};
    broker.subscriber<"mute">({.no_reply = true}).handle([](std::string_view) {});
    broker.start();
    auto answers = broker.request_many<std::string>("mute", "");
    auto first = std::async(std::launch::async, [&] { return answers.next(); });
    REQUIRE(eventually([&] { return broker.stats().requests_in_flight == 1; }));
    broker.stop();
    const auto answer = first.get();
    REQUIRE(answer);
    CHECK(answer->error().code() == Errc::closed);
    CHECK_FALSE(answers.next());
}

TEST_CASE("stop returns false at its deadline while a handler blocks; the destructor waits for the handler") {
    testing::NatsServer server;
    testing::LogLines log;
    const auto options = GENERATE(plain, workers, dedicated);
    std::optional<Broker> broker{std::in_place, BrokerOptions{.servers = {server.url()}, .logger = log.logger()}};
    const int running = options.workers > 1 ? 2 : 1;  // handlers at the same time
    Gate gate;
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;
    std::atomic<bool> sent = true;
    auto subscriber = broker->subscriber("work", options).handle([&](std::string_view, Broker& own) {
        ++begun;
        gate.pass();
        sent = own.try_publish("done", "").has_value();
        ++ended;
    });
    broker->start();
    for (int i = 0; i < 10; ++i) broker->publish("work", "x");
    REQUIRE(eventually([&] {
        return begun == running && subscriber.stats().received + subscriber.stats().pending == 10;
    }));

    auto stopping = std::async(std::launch::async, [&] { return broker->stop(50ms); });
    const bool in_time = stopping.wait_for(20s) == std::future_status::ready;
    CHECK(in_time);
    if (!in_time) gate.open();
    CHECK_FALSE(stopping.get());
    CHECK_THAT(log.find("unhandled"), ContainsSubstring("within 50 ms"));
    CHECK_FALSE(broker->running());
    CHECK(broker->try_publish("orders", "").error().code() == Errc::closed);
    CHECK(ended == 0);
    CHECK_FALSE(broker->stop(0ms));

    auto destroying = std::async(std::launch::async, [&] { broker.reset(); });
    if (in_time) gate.open();
    destroying.get();
    CHECK(ended == running);
    CHECK(begun == running);  // what waited was dropped
    CHECK_FALSE(sent);
}

TEST_CASE("stop inside a handler that then blocks does not hold up a stop from outside") {
    testing::NatsServer server;
    Gate gate;
    std::atomic<bool> begun = false;
    Broker broker{{.servers = {server.url()}}};
    broker.subscriber<"work">().handle([&](std::string_view, Broker& own) {
        own.stop(20ms);
        begun = true;
        gate.pass();
    });
    broker.start();
    broker.publish("work", "");
    REQUIRE(eventually([&] { return begun.load(); }));
    auto stopping = std::async(std::launch::async, [&] { return broker.stop(50ms); });
    const bool in_time = stopping.wait_for(20s) == std::future_status::ready;
    gate.open();
    CHECK(in_time);
    CHECK_FALSE(stopping.get());
}

TEST_CASE("a broker destroyed while another thread stops it") {
    testing::NatsServer server;
    auto broker = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}, .stop_timeout = 1h});
    Gate gate;
    std::atomic<bool> begun = false;
    broker->subscriber<"work">().handle([&](std::string_view, Broker& own) {
        own.stop();
        begun = true;
        gate.pass();
    });
    broker->start();
    broker->publish("work", "");
    REQUIRE(eventually([&] { return begun.load(); }));
    auto destroying = std::async(std::launch::async, [&] { broker.reset(); });
    gate.open();
    destroying.get();
}

TEST_CASE("a handler on a worker that answers while its broker is destroyed") {
    testing::NatsServer server;
    auto broker = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}, .stop_timeout = 1ms});
    Gate gate;
    std::atomic<int> begun = 0;
    broker->subscriber<"work">({.workers = 2}).handle([&](std::string_view) {
        ++begun;
        gate.pass();
        return std::string{"late"};
    });
    broker->start();
    for (int i = 0; i < 2; ++i) broker->publish("work", "", {.reply_to = "answers"});
    REQUIRE(eventually([&] { return begun == 2; }));
    auto destroying = std::async(std::launch::async, [&] { broker.reset(); });
    gate.open();
    destroying.get();
    CHECK(begun == 2);
}

TEST_CASE("subscribers are stopped while their broker is destroyed, and after") {
    testing::NatsServer server;
    for (int round = 0; round < 10; ++round) {
        auto broker = std::make_unique<Broker>(BrokerOptions{.servers = {server.url()}});
        auto one = broker->subscriber<"work">().handle([](std::string_view) {});
        auto several = broker->subscriber<"work">({.workers = 2}).handle([](std::string_view) {});
        auto stream = broker->subscriber<"work">().messages();
        broker->start();
        for (int i = 0; i < 20; ++i) broker->publish("work", "");
        const auto stop = [&] {
            one.stop();
            several.stop();
            stream.stop();
        };
        auto stopping = std::async(std::launch::async, stop);
        broker.reset();
        stopping.get();
        stop();
        CHECK(one.stats().pending == 0);
        CHECK(several.stats().pending == 0);
    }
}

TEST_CASE("a broker that failed to start leaves nothing running, and another works in its place") {
    testing::NatsServer server{{.config =
                                    "authorization { users: [ { user: u, password: p, "
                                    "permissions: { publish: \">\", subscribe: [\"orders.>\", \"_INBOX.>\"] } } ] }"}};
    auto failed = std::make_unique<Broker>(BrokerOptions{.servers = {server.url("u", "p")}});
    failed->subscriber("orders.{id}").handle([](std::string_view) {});
    failed->subscriber("orders..x").handle([](std::string_view) {});
    CHECK_THROWS_AS(failed->start(), Error);
    failed.reset();
    Broker broker{{.servers = {server.url("u", "p")}}};
    auto inbox = broker.subscriber("orders.{id}").messages();
    broker.start();
    broker.publish("orders.1", "hello");
    CHECK(inbox.next(20s)->text() == "hello");
}

TEST_CASE("the end of one broker does not disturb the traffic of another") {
    testing::NatsServer server;
    std::atomic<int> handled = 0;
    Broker steady{{.servers = {server.url()}}};
    steady.subscriber<"steady">().handle([&](std::string_view) { ++handled; });
    steady.start();
    const Flood flood{steady, "steady"};
    for (int round = 0; round < 5; ++round) {
        std::atomic<int> seen = 0;
        Broker passing{{.servers = {server.url()}}};
        passing.subscriber<"steady">().handle([&](std::string_view) { ++seen; });
        passing.start();
        REQUIRE(eventually([&] { return seen > 100; }));
    }
    const int before = handled;
    CHECK(eventually([&] { return handled > before + 1'000; }));
}
