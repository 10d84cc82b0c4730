// SPDX-License-Identifier: Apache-2.0
// The ready middlewares, with time that tests move; and that what goes around handlers works without a server, too.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/middleware/circuit_breaker.hpp>
#include <freshet/middleware/deduplicate.hpp>
#include <freshet/middleware/rate_limit.hpp>
#include <freshet/middleware/timeout_warning.hpp>
#include <freshet/testing.hpp>

#include "../support/log_lines.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::TestBroker;

namespace {

struct Log {
    int opened = 0;
    int committed = 0;
};
struct Session {
    Log& log;
    void on_outcome(const Outcome& outcome) { log.committed += outcome == Outcome::ack ? 1 : 0; }
};
Session session(Inject<Log> log) {
    ++log->opened;
    return {*log};
}
Session other_session(Inject<Log> log) {
    log->opened += 100;
    return {*log};
}

PublishOptions with_id(std::string_view id) { return {.headers = {{"Nats-Msg-Id", id}}}; }

}  // namespace

TEST_CASE("a rate limit lets a burst pass, then as many as the rate") {
    Broker broker;
    int handled = 0;
    broker.use(RateLimit{{.messages = 10, .per = 1s, .burst = 2}});
    broker.subscriber<"x">().handle([&] { return ++handled; });
    TestBroker test{broker};
    CHECK(test.request<int>("x", "") == 1);
    CHECK(test.request<int>("x", "") == 2);
    CHECK(test.try_request<int>("x", "").error().remote_code() == 429);
    test.advance(100ms);
    CHECK(test.request<int>("x", "") == 3);
    CHECK(test.try_request<int>("x", "").error().remote_code() == 429);
    test.advance(10s);  // no more than the burst is saved up
    CHECK(test.request<int>("x", "") == 4);
    CHECK(test.request<int>("x", "") == 5);
    CHECK_FALSE(test.try_request<int>("x", ""));
    CHECK_THROWS_AS(RateLimit{{.messages = 0}}, Error);
}

TEST_CASE("a circuit breaker opens after failures in a row, lets one try, and closes when that is handled") {
    Broker broker;
    int calls = 0;
    bool broken = true;
    broker.subscriber<"x">().use(CircuitBreaker{{.failures = 2, .open_for = 10s}}).handle([&] {
        ++calls;
        if (broken) throw std::runtime_error{"down"};
        return calls;
    });
    TestBroker test{broker};
    const auto code = [&] { return test.try_request<int>("x", "").error().remote_code(); };
    CHECK(code() == 500);
    CHECK(code() == 500);
    CHECK(code() == 503);
    CHECK(calls == 2);
    test.advance(10s);
    CHECK(code() == 500);  // the one that tries
    CHECK(code() == 503);
    CHECK(calls == 3);
    test.advance(10s);
    broken = false;
    CHECK(test.request<int>("x", "") == 4);
    CHECK(test.request<int>("x", "") == 5);
}

TEST_CASE("a message whose id was handled is not handled again within the window; a failed one is") {
    Broker broker;
    int calls = 0;
    bool broken = true;
    broker.use(Deduplicate{{.window = 60s, .max_ids = 3}});
    broker.subscriber<"x">().handle([&] {
        ++calls;
        if (broken) throw std::runtime_error{"down"};
    });
    TestBroker test{broker};
    test.publish("x", "", with_id("a"));
    broken = false;
    CHECK(test.publish("x", "", with_id("a")) == Outcome::ack);
    CHECK(calls == 2);
    CHECK(test.publish("x", "", with_id("a")) == Outcome::ack);
    CHECK(calls == 2);
    test.publish("x", "");
    test.publish("x", "");
    CHECK(calls == 4);
    test.advance(60s);
    test.publish("x", "", with_id("a"));
    CHECK(calls == 5);
    for (const char* id : {"b", "c", "d"}) test.publish("x", "", with_id(id));
    CHECK(calls == 8);
    test.publish("x", "", with_id("d"));
    CHECK(calls == 8);
    test.publish("x", "", with_id("a"));  // the oldest was forgotten
    CHECK(calls == 9);
}

TEST_CASE("two subscribers of a message with an id both handle it; who asks twice is told so") {
    Broker broker;
    int calls = 0;
    broker.use(Deduplicate{});
    broker.subscriber<"x">().handle([&] { ++calls; });
    broker.subscriber<"x">().handle([&] { ++calls; });
    broker.subscriber<"ask">().handle([] { return 1; });
    TestBroker test{broker};
    CHECK(test.publish("x", "", with_id("a")) == Outcome::ack);
    CHECK(calls == 2);
    CHECK(test.publish("x", "", with_id("a")) == Outcome::ack);
    CHECK(calls == 2);
    const RequestOptions with_a{.headers = {{"Nats-Msg-Id", "a"}}};
    CHECK(test.request<int>("ask", "", with_a) == 1);
    CHECK(test.try_request<int>("ask", "", with_a).error().remote_code() == 409);
}

TEST_CASE("a handler that runs long is warned of while it runs, another is not") {
    testing::LogLines log;
    Broker broker{{.logger = log.logger()}};
    bool warned_within = false;
    broker.use(TimeoutWarning{5s});
    broker.subscriber<"slow">().handle([&](Context& context) {
        std::atomic<bool> passed = false;
        auto& clock = context.clock();
        clock.schedule(clock.now() + 6s, [&] { passed = true; });
        clock.run_until(clock.now() + 7s, [&] { return passed.load(); });
        warned_within = !log.find("the handler still runs after 5000 ms").empty();
    });
    broker.subscriber<"fast">().handle([] {});
    TestBroker test{broker};
    test.publish("fast", "");
    test.advance(10s);
    CHECK(log.find("still runs").empty());
    for (int i = 1; i <= 2; ++i) {
        test.publish("slow", "");
        CHECK(warned_within);
        CHECK(std::ranges::count_if(log.all(), [](const auto& line) {
                  return line.find("still runs") != std::string::npos;
              }) == i);
        test.advance(10s);  // nothing runs: it sleeps, and wakes for the next
    }
    CHECK_THROWS_AS(TimeoutWarning{0s}, Error);
}

TEST_CASE("one timeout warning watches several brokers, and many handlers at once") {
    testing::LogLines log;
    const TimeoutWarning warning{1s};
    for (int i = 0; i < 2; ++i) {  // a broker's clock may lie where one was that is gone
        Broker broker{{.logger = log.logger()}};
        broker.use(warning);
        std::atomic<int> running = 0;
        broker.subscriber<"slow">({.workers = 40}).handle([&](Broker& own) {
            ++running;
            std::ignore = own.try_request<int>("silent", "", {.timeout = 3s});
        });
        broker.subscriber<"silent">().handle([] {});
        TestBroker test{broker, testing::TestOptions{.threads = true}};
        for (int j = 0; j < 40; ++j) test.client().publish("slow", "");
        test.advance(10s);
        CHECK(running == 40);
    }
    CHECK(std::ranges::count_if(log.all(),
                                [](const auto& line) { return line.find("still runs") != std::string::npos; }) == 80);
}

TEST_CASE("routers, middleware, dependencies, error handlers and filters work without a server") {
    Broker broker;
    const auto log = std::make_shared<Log>();
    broker.provide(log);
    Router<"t.{tenant}."> router;
    router.depends<&session>();
    router.on_error<std::logic_error>([](const std::logic_error& error) { return std::string{error.what()}; });
    router.subscriber<"x">()
        .when(has_header("fail"), []() -> std::string { throw std::logic_error{"asked to"}; })
        .handle([](Path<"tenant"> tenant, Depends<&session>) { return std::string{*tenant}; });
    broker.include(router);
    broker.use_publish([](Outgoing& out, NextPublish next) {
        out.headers.set("by", "test");
        return next(out);
    });
    broker.subscriber<"event">().publish_to<"out">().handle([] { return std::string{"e"}; });
    TestBroker test{broker};
    CHECK(test.request<std::string>("t.acme.x", "") == "acme");
    CHECK(log->opened == 1);
    CHECK(log->committed == 1);
    CHECK(test.request<std::string>("t.acme.x", "", {.headers = {{"fail", ""}}}) == "asked to");
    CHECK(log->opened == 2);
    CHECK(log->committed == 1);  // rolled back, although the error was answered
    test.publish("event", "");
    CHECK(test.published("out").size() == 1);
    CHECK(test.published("out").at(0).headers.get("by") == "test");
}

TEST_CASE("a dependency is overridden without a server") {
    Broker broker;
    const auto log = std::make_shared<Log>();
    broker.provide(log);
    broker.override_dependency<&session>(&other_session);
    broker.subscriber<"x">().handle([](Depends<&session>) {});
    TestBroker test{broker};
    CHECK(test.publish("x", "") == Outcome::ack);
    CHECK(log->opened == 100);
}
