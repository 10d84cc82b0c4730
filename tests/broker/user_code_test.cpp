// SPDX-License-Identifier: Apache-2.0
// Code of the program that freshet runs beside handlers: where it connects, logs, binds and publishes. It may stop and
// destroy brokers, too, and holds up nobody.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <spdlog/sinks/callback_sink.h>
#include <spdlog/spdlog.h>

#include <freshet/app.hpp>
#include <freshet/freshet.hpp>

#include "../support/ends.hpp"
#include "../support/log_lines.hpp"
#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"
#include "broker/broker_core.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using testing::ends;
using testing::eventually;
using testing::must;
using Kind = ConnectionEvent::Kind;

namespace {

std::function<void()> when_bound;

struct Bound {};

}  // namespace

template <>
struct freshet::Extractor<Bound> {
    using Plan = int;
    static Plan bind(Binder&) {
        if (when_bound) when_bound();
        return 1;
    }
    static Expected<Bound> extract(Plan, Context&) { return Bound{}; }
};

namespace {

/// A logger that hands each line to a function, which may log again.
std::shared_ptr<spdlog::logger> logger_to(std::function<void(std::string_view)> function) {
    const auto sink = std::make_shared<spdlog::sinks::callback_sink_st>(
        [function = std::move(function)](const spdlog::details::log_msg& message) {
            function({message.payload.data(), message.payload.size()});
        });
    return std::make_shared<spdlog::logger>("test", sink);
}

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    std::unique_ptr<Broker> broker = {};
    std::atomic<bool> done = false;

    BrokerOptions options() const { return {.servers = {server.url()}, .stop_timeout = 1h}; }
    void end(bool destroys) {
        if (!broker) return;
        if (destroys) broker.reset();
        else broker->stop();
        done = true;
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a broker is stopped or destroyed in the function that connects its sockets") {
    const bool destroys = GENERATE(false, true);
    auto with = options();
    with.dial = [&](const std::string&, std::uint16_t) {
        end(destroys);
        return -1;
    };
    broker = std::make_unique<Broker>(with);
    auto& own = *broker;
    CHECK(ends([&] {
        try {
            own.start();
            must(false);
        } catch (const Error& error) { must(error.code() == Errc::closed); }
    }));
    CHECK(done);
}

TEST_CASE_METHOD(Fixture, "a broker is stopped or destroyed in the function that gives its credentials") {
    const bool destroys = GENERATE(false, true);
    auto with = options();
    with.credentials = TokenCallback{[&] {
        end(destroys);
        return std::string{"token"};
    }};
    broker = std::make_unique<Broker>(with);
    auto& own = *broker;
    CHECK(ends([&] { CHECK_THROWS_AS(own.start(), Error); }));
    CHECK(done);
}

TEST_CASE_METHOD(Fixture, "a broker is stopped or destroyed in a publish middleware outside of handlers") {
    const bool destroys = GENERATE(false, true);
    const std::string call = GENERATE("publish", "request", "async", "many");
    CAPTURE(destroys, call);
    broker = std::make_unique<Broker>(options());
    broker->use_publish([&](Outgoing& out, NextPublish next) {
        end(destroys);
        return next(out);
    });
    broker->subscriber<"echo">().handle([](std::string_view body) { return std::string{body}; });
    broker->start();
    auto& own = *broker;
    CHECK(ends([&] {
        if (call == "publish") {
            must(own.try_publish("echo", "x") || destroys);
        } else if (call == "request") {
            std::ignore = own.try_request<std::string>("echo", "x", {.timeout = 1h});  // the stop may end it
        } else if (call == "async") {
            std::binary_semaphore told{0};
            own.client<std::string(std::string)>("echo").async({.timeout = 20s}, "x",
                                                               [&](const Expected<std::string>&) { told.release(); });
            told.acquire();
        } else {
            auto replies = own.request_many<std::string>("echo", "x", {.timeout = 20s, .max_replies = 1});
            must(replies.next().has_value());
        }
    }));
    CHECK(done);
    CHECK(ends([&] { broker.reset(); }));
}

TEST_CASE_METHOD(Fixture, "a broker is stopped or destroyed by what its log is written to") {
    const bool destroys = GENERATE(false, true);
    auto with = options();
    with.logger = logger_to([&](std::string_view line) {
        if (line.starts_with("disconnected")) end(destroys);
    });
    broker = std::make_unique<Broker>(with);
    for (int n = 0; n < 64; ++n) broker->subscriber("many." + std::to_string(n)).handle([](std::string_view) {});
    broker->start();
    server.stop();
    REQUIRE(eventually([&] { return done.load(); }));
    CHECK(ends([&] { broker.reset(); }));
}

TEST_CASE("an App may be told to exit by what its log is written to") {
    App* asked = nullptr;
    Broker absent{{.servers = {"nats://127.0.0.1:1"},
                   .start_timeout = 0ms,
                   .logger = logger_to([&](std::string_view line) {
                       if (line.find("cannot connect") != std::string_view::npos && asked != nullptr) asked->exit(9);
                   })}};
    App app{absent};
    asked = &app;
    CHECK(ends([&] { must(app.run() == 9); }));
}

TEST_CASE_METHOD(Fixture, "what is bound may look at its broker, and stop it") {
    const bool later = GENERATE(false, true);
    const std::string does = GENERATE("looks", "stops");
    CAPTURE(later, does);
    broker = std::make_unique<Broker>(options());
    when_bound = [&] {
        std::ignore = broker->stats();
        std::ignore = broker->health();
        if (does == "stops") must(broker->stop());
        done = true;
    };
    const auto declare = [&] { broker->subscriber<"x">().handle([](Bound) {}); };
    if (!later) declare();
    CHECK(ends([&] {
        try {
            broker->start();
            if (later) declare();
            must(does == "looks");
        } catch (const Error& error) { must(does == "stops" && error.code() == Errc::closed); }
    }));
    when_bound = {};
    CHECK(done);
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed by what it binds") {
    broker = std::make_unique<Broker>(options());
    broker->start();
    when_bound = [&] { end(true); };
    CHECK(ends([&] { CHECK_THROWS_AS(broker->subscriber<"x">().handle([](Bound) {}), Error); }));
    when_bound = {};
    CHECK(done);
}

TEST_CASE_METHOD(Fixture, "an event inside on_event follows when that has returned") {
    std::vector<std::string> seen;
    auto with = options();
    with.on_event = [&](const ConnectionEvent& event) {
        if (event.kind == Kind::closed) return;
        seen.push_back("begin " + event.detail);
        if (event.kind == Kind::connected) broker->core().link().tell({.kind = Kind::slow_consumer, .detail = "inner"});
        seen.push_back("end " + event.detail);
    };
    broker = std::make_unique<Broker>(with);
    CHECK(ends([&] { broker->start(); }));
    CHECK(seen == std::vector<std::string>{"begin ", "end ", "begin inner", "end inner"});
}

TEST_CASE_METHOD(Fixture, "a log that reports a failure while failures are summed up goes on") {
    std::atomic<int> sums = 0;
    detail::Link* link = nullptr;
    auto with = options();
    with.logger = logger_to([&](std::string_view line) {
        if (line.find("more failures") == std::string_view::npos) return;
        if (sums++ == 0) link->report(detail::FailureLog::Kind::status, "again", {Errc::remote, "while it logs"});
    });
    broker = std::make_unique<Broker>(with);
    link = &broker->core().link();
    broker->start();
    for (int n = 0; n < 20; ++n) link->report(detail::FailureLog::Kind::status, "flood", {Errc::remote, "no"});
    CHECK(eventually([&] { return sums > 0; }));
    CHECK(ends([&] { broker.reset(); }));
}
