// SPDX-License-Identifier: Apache-2.0
// App's rules in memory and on a nats-server, through TestApp.
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/log_lines.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::TestApp;
using Lines = std::vector<std::string>;

namespace {

/// Written by hooks, which run in the test's thread.
struct Diary {
    Lines lines = {};
};

struct Pool {
    explicit Pool(Diary& kept) : diary{kept} { diary.lines.emplace_back("open"); }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { diary.lines.emplace_back("close"); }
    Diary& diary;
};

int answer(Inject<Diary>) { return 42; }

struct Fixture {
    const bool real = GENERATE(false, true);
    std::optional<testing::Server> server = {};
    testing::LogLines log = {};
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();
    Broker broker{{.logger = log.logger()}};
    Broker second{{.logger = log.logger()}};
    App app{broker, second};

    Fixture() {
        broker.provide(diary);
        app.lifespan([](Inject<Diary> kept) { return Pool{*kept}; });
        app.on_startup([this] { diary->lines.emplace_back("on_startup"); });
        app.after_startup([this] { diary->lines.emplace_back("after_startup"); });
        app.on_shutdown([this] { diary->lines.emplace_back("on_shutdown"); });
        app.after_shutdown([this] { diary->lines.emplace_back("after_shutdown"); });
    }
    std::unique_ptr<TestApp> start() {
        if (real) return std::make_unique<TestApp>(app, server.emplace());
        return std::make_unique<TestApp>(app);
    }
    std::string failure_of_start() {
        try {
            start();
        } catch (const std::exception& error) { return error.what(); }
        return "it started";
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "lifespans, hooks and brokers in their order, with their parameters") {
    app.on_startup([](Broker& own, Inject<Diary> kept, Depends<&answer> number, Logger&, std::stop_token) {
        kept->lines.push_back(std::to_string(*number) + (own.running() ? " runs" : " idle"));
        own.provide(std::make_shared<int>(7));
    });
    app.after_startup([](Broker& own, Inject<int> given) { own.publish("ready", *given); });
    app.on_shutdown([](Broker& own) { own.publish("leaving", 1); });
    app.after_shutdown([this] {
        diary->lines.emplace_back(broker.running() || second.running() ? "runs" : "stopped");
    });
    broker.subscriber<"count">().handle([](Inject<int> given) { return *given + 1; });
    const auto test = start();
    CHECK((*test)->request<int>("count", "") == 8);
    CHECK((*test)->published<int>("ready").at(0) == 7);
    CHECK_FALSE(test->exit_code());
    CHECK(test->stop() == 0);
    CHECK((*test)->published("leaving").size() == 1);
    CHECK(diary->lines ==
          Lines{"open", "on_startup", "42 idle", "after_startup", "on_shutdown", "after_shutdown", "stopped", "close"});
    CHECK(test->stop() == 0);
}

TEST_CASE_METHOD(Fixture, "several brokers reach each other over the server of the test") {
    second.subscriber<"twice">().handle([](int number) { return 2 * number; });
    broker.subscriber<"ask.{number}">().handle([](Path<"number", int> number, Broker& own) {
        return own.request<int>("twice", *number) + 1;
    });
    const auto test = start();
    CHECK((*test)->request<int>("ask.4", "") == 9);
    CHECK((*test)[second].published().size() == 0);  // an answer has an inbox's subject
    CHECK((*test)[broker].deliveries("ask.{number}").size() == 1);
    Broker other;
    CHECK_THROWS_AS((*test)[other], Error);
}

TEST_CASE_METHOD(Fixture, "exit and ExitApp say what it ends with; the first counts") {
    broker.subscriber<"exit">().handle([] { throw ExitApp{3, "enough"}; });
    const auto test = start();
    (*test)->publish("exit", "");
    app.exit(4);
    CHECK(test->exit_code() == 3);
    CHECK(test->stop() == 3);
}

TEST_CASE_METHOD(Fixture, "a startup that fails half way undoes what was done") {
    second.subscriber<"x">().handle([](Inject<double>) {});
    CHECK(failure_of_start().find("double") != std::string::npos);
    CHECK(diary->lines == Lines{"open", "on_startup", "after_shutdown", "close"});
    CHECK_FALSE(broker.running());
    CHECK_THROWS_AS(broker.publish("x", ""), Error);
}

TEST_CASE_METHOD(Fixture, "what a hook throws at startup ends it, at shutdown it is told by the exit code") {
    SECTION("at startup") {
        app.after_startup([] { throw std::runtime_error{"no disk"}; });
        CHECK(failure_of_start() == "no disk");
        CHECK(diary->lines == Lines{"open", "on_startup", "after_startup", "on_shutdown", "after_shutdown", "close"});
    }
    SECTION("at shutdown") {
        app.on_shutdown([] { throw std::runtime_error{"late"}; });
        CHECK(start()->stop() == 1);
        CHECK(diary->lines.back() == "close");
        CHECK_FALSE(log.find("late").empty());
    }
    SECTION("what it lacks") {
        app.on_startup([](Inject<double>, Inject<float>) {});
        const auto text = failure_of_start();
        CHECK(text.find("double") != std::string::npos);
        CHECK(text.find("float") != std::string::npos);
    }
}
