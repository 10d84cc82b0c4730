// SPDX-License-Identifier: Apache-2.0
// App: hooks, lifespans, several brokers, every way to end, startups that fail. Over a real server.
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>

#include "../support/log_lines.hpp"
#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"
#include "broker/app_core.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

using Lines = std::vector<std::string>;

class Diary {
public:
    void write(std::string line) {
        const std::lock_guard lock{mutex_};
        lines_.push_back(std::move(line));
    }
    Lines lines() const {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

private:
    mutable std::mutex mutex_ = {};
    Lines lines_ = {};
};

struct Pool {
    explicit Pool(Diary& kept) : diary{kept} { diary.write("open"); }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { diary.write("close"); }
    Diary& diary;
};

int answer(Inject<Diary>) { return 42; }

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();
    App app{broker};

    Fixture() { broker.provide(diary); }

    void hooks(App& of) {
        of.on_startup([&] { diary->write("on_startup"); });
        of.after_startup([&] { diary->write("after_startup"); });
        of.on_shutdown([&] { diary->write("on_shutdown"); });
        of.after_shutdown([&] { diary->write("after_shutdown"); });
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "hooks and lifespans run in their order, with their parameters") {
    app.lifespan([](Inject<Diary> kept) { return Pool{*kept}; });
    hooks(app);
    app.on_startup([](Broker& own, Inject<Diary> kept, Depends<&answer> number, Logger& log, std::stop_token stop) {
        log.info("starting {}", *number);
        kept->write(std::to_string(*number) + (own.running() || stop.stop_requested() ? " runs" : " idle"));
        own.provide(std::make_shared<int>(7));
    });
    app.after_startup([&](Broker& own, Inject<int> given) {
        diary->write(own.running() ? "running" : "not");
        app.exit(*given);
    });
    app.on_shutdown([&](Broker& own) { diary->write(own.running() ? "still running" : "stopped"); });
    app.after_shutdown([&](Broker& own) { diary->write(own.running() ? "still running" : "stopped"); });
    CHECK(app.run() == 7);
    CHECK(diary->lines() == Lines{"open", "on_startup", "42 idle", "after_startup", "running", "on_shutdown",
                                  "still running", "after_shutdown", "stopped", "close"});
}

TEST_CASE_METHOD(Fixture, "it ends by a signal, with code 0") {
    app.after_startup([] { std::raise(SIGTERM); });
    hooks(app);
    CHECK(app.run() == 0);
    CHECK(diary->lines() == Lines{"on_startup", "after_startup", "on_shutdown", "after_shutdown"});
}

TEST_CASE_METHOD(Fixture, "it ends when a broker is stopped, with code 0") {
    hooks(app);
    broker.subscriber<"stop">().handle([](Broker& own) { own.stop(); });
    app.after_startup([&] { broker.publish("stop", ""); });
    CHECK(app.run() == 0);
    CHECK(diary->lines().back() == "after_shutdown");
}

TEST_CASE_METHOD(Fixture, "a handler that throws ExitApp ends the program with its code; so does a hook") {
    broker.subscriber<"exit">().handle([] { throw ExitApp{3, "enough"}; });
    app.after_startup([&] { broker.publish("exit", ""); });
    app.on_shutdown([&] { diary->write(broker.running() ? "running" : "stopped"); });
    CHECK(app.run() == 3);
    CHECK(diary->lines() == Lines{"running"});

    Broker other{{.servers = {server.url()}}};
    App second{other};
    second.on_startup([] { throw ExitApp{4}; });
    CHECK(second.run() == 4);
    CHECK_FALSE(other.running());
}

TEST_CASE_METHOD(Fixture, "ExitApp without an App stops the broker") {
    Broker alone{{.servers = {server.url()}}};
    alone.subscriber<"exit">().handle([] { throw ExitApp{3}; });
    std::jthread asks{[&] {
        testing::must(eventually([&] { return alone.running(); }));
        alone.publish("exit", "");
    }};
    alone.run();
    CHECK_FALSE(alone.running());
}

TEST_CASE_METHOD(Fixture, "a startup that fails half way undoes what was done") {
    Broker second{{.servers = {"nats://127.0.0.1:1"}, .start_timeout = 0ms}};
    App both{broker, second};
    hooks(both);
    both.lifespan([&] { return std::make_unique<Pool>(*diary); });
    CHECK(both.run() == 1);
    CHECK(diary->lines() == Lines{"open", "on_startup", "after_shutdown", "close"});
    CHECK_FALSE(broker.running());
    CHECK_THROWS_AS(broker.publish("x", ""), Error);
}

TEST_CASE_METHOD(Fixture,
                 "a hook that throws at startup ends it; one that throws at shutdown does not keep the others") {
    app.on_startup([] { throw std::runtime_error{"no disk"}; });
    hooks(app);
    CHECK(app.run() == 1);
    CHECK(diary->lines() == Lines{"after_shutdown"});

    Broker other{{.servers = {server.url()}}};
    App second{other};
    second.after_startup([&] { second.exit(); });
    second.on_shutdown([] { throw std::runtime_error{"late"}; });
    hooks(second);
    CHECK(second.run() == 1);
    CHECK(diary->lines().back() == "after_shutdown");
}

TEST_CASE_METHOD(Fixture, "what a hook lacks is said") {
    app.on_startup([](Inject<Pool>, Inject<int>) {});
    CHECK(app.run() == 1);
}

TEST_CASE_METHOD(Fixture, "several brokers run, and stop together") {
    testing::NatsServer other_server;
    Broker other{{.servers = {other_server.url()}}};
    broker.subscriber<"in">().handle([&] { other.publish("out", ""); });
    App both{broker, other};
    other.subscriber<"out">().handle([&] { both.exit(5); });
    both.after_startup([&] { broker.publish("in", ""); });
    CHECK(both.run() == 5);
    CHECK_FALSE(broker.running());
    CHECK_FALSE(other.running());
}

TEST_CASE_METHOD(Fixture, "exit during the start cuts it short") {
    Broker absent{{.servers = {"nats://127.0.0.1:1"}, .start_timeout = 60s}};
    App waits{absent};
    std::jthread ends{[&] {
        std::this_thread::sleep_for(50ms);  // whether it connects by then or not
        waits.exit(6);
    }};
    CHECK(waits.run() == 6);
}

TEST_CASE_METHOD(Fixture, "an App goes on without a broker that is not critical, and that broker starts later") {
    testing::NatsServer other_server;
    other_server.stop();
    Broker other{{.servers = {other_server.url()},
                  .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
                  .start_timeout = 20ms,
                  .critical = false}};
    App both{broker, other};
    other.subscriber<"out">().handle([&] { both.exit(5); });
    both.after_startup([&] {
        CHECK(broker.running());
        CHECK_FALSE(other.running());
        other_server.restart();
    });
    std::jthread asks{[&] {
        if (eventually([&] { return other.running(); })) other.publish("out", "");
        else both.exit(1);
    }};
    CHECK(both.run() == 5);
    CHECK_FALSE(other.running());
}

TEST_CASE_METHOD(Fixture, "a broker that is not critical and never comes does not hold the end up") {
    Broker absent{{.servers = {"nats://127.0.0.1:1"}, .start_timeout = 20ms, .critical = false}};
    App both{broker, absent};
    both.after_startup([&] { both.exit(0); });
    CHECK(both.run() == 0);
}

TEST_CASE_METHOD(Fixture, "exit between the look at it and the connection cuts the start short, too") {
    Broker absent{{.servers = {"nats://127.0.0.1:1"}, .start_timeout = 1h}};
    App waits{absent};
    std::string text;
    try {
        waits.core().start([&](Broker& started) {
            waits.exit(6);  // when start() was decided on, and has not begun
            started.start();
        });
    } catch (const Error& error) {
        CHECK(error.code() == Errc::closed);
        text = error.what();
    }
    CHECK(text == "start: the broker was stopped before it ran");
    waits.core().shut_down();
    CHECK(waits.core().exit_code() == 6);
}

TEST_CASE_METHOD(Fixture, "a broker that is stopped before or while it starts ends the program, with code 0") {
    const std::string when = GENERATE("before run", "in a hook", "while it connects", "while the second one connects");
    CAPTURE(when);
    Broker absent{
        {.servers = {"nats://127.0.0.1:1"}, .start_timeout = 1h, .on_event = [&](const ConnectionEvent& event) {
             if (event.kind != ConnectionEvent::Kind::waiting) return;
             if (when == "while it connects") absent.stop();
             else broker.stop();
         }}};
    App waits{broker, absent};
    if (when == "before run") broker.stop();
    if (when == "in a hook") waits.on_startup([](Broker& own) { own.stop(); });
    CHECK(waits.run() == 0);
    CHECK_FALSE(broker.running());
    CHECK_FALSE(absent.running());
}

TEST_CASE("a broker that is not critical and fails late is told of") {
    testing::LogLines log;
    testing::NatsServer server;
    testing::NatsServer strict{{.config = "authorization { users: [ { user: u, password: p, permissions: { publish: "
                                          "\">\", subscribe: { deny: \"secret\" } } } ] }"}};
    strict.stop();
    Broker broker{{.servers = {server.url()}}};
    Broker other{{.servers = {strict.url("u", "p")},
                  .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
                  .start_timeout = 20ms,
                  .logger = log.logger(),
                  .critical = false}};
    other.subscriber<"secret">().handle([](std::string_view) {});
    App both{broker, other};
    both.after_startup([&] { strict.restart(); });
    std::jthread ends{[&] {
        testing::must(!log.wait_for("critical: the program goes on without a broker").empty());
        both.exit(0);
    }};
    CHECK(both.run() == 0);
    CHECK_FALSE(log.find("secret").empty());
}

TEST_CASE("a lifespan's object lives as long as a handler that outlived the stop") {
    testing::NatsServer server;
    const auto diary = std::make_shared<Diary>();
    std::binary_semaphore begun{0};
    std::binary_semaphore go{0};
    Pool* pool = nullptr;
    {
        Broker broker{{.servers = {server.url()}, .stop_timeout = 10ms}};
        {
            App app{broker};
            app.lifespan([&] {
                auto made = std::make_shared<Pool>(*diary);
                pool = made.get();
                return made;
            });
            broker.subscriber<"work">({.dedicated = true}).handle([&](std::string_view) {
                begun.release();
                go.acquire();
                pool->diary.write("used");
                throw ExitApp{5, "late"};
            });
            app.after_startup([&](Broker& own) { own.publish("work", ""); });
            std::jthread ends{[&] {
                begun.acquire();
                app.exit();
            }};
            CHECK(app.run() == 1);
            CHECK(diary->lines() == Lines{"open"});
            go.release();
        }
    }
    CHECK(diary->lines() == Lines{"open", "used", "close"});
}
