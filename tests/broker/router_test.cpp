// SPDX-License-Identifier: Apache-2.0
// Routers over a real server: prefixes, order, several brokers, mistakes.
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/types.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

using Lines = std::vector<std::string>;

struct Diary {
    std::mutex mutex = {};
    Lines lines = {};
    void write(std::string line) {
        const std::lock_guard lock{mutex};
        lines.push_back(std::move(line));
    }
};

auto note(Diary& diary, std::string name) {
    return [&diary, name](Context& context, Next next) {
        diary.write(name);
        return next(context);
    };
}
auto note_publish(Diary& diary, std::string name) {
    return [&diary, name](Outgoing& out, NextPublish next) {
        if (out.kind == Outgoing::Kind::reply) diary.write("publish " + name);
        return next(out);
    };
}

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
};

struct Tenant {
    std::string name;
};
Tenant tenant(Path<"tenant"> name) { return {std::string{*name}}; }

void count_call(Inject<std::atomic<int>> count) { ++*count; }

std::string problem_of(Broker& broker) {
    try {
        broker.start();
    } catch (const Error& error) { return error.what(); }
    return "it started";
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a prefix with parameters is captured by Path, in both forms, and fills publish_to") {
    Router billing{"billing.{tenant}."};
    billing.subscriber<"invoice.{id}">().publish_to<"done.{tenant}">().handle(
        [](Path<"tenant"> tenant, Path<"id", int> id) { return std::string{*tenant} + std::to_string(*id); });
    Router<"pay.{tenant}."> pay;
    pay.subscriber<"{id}">().handle([](Path<"id"> id, Path<"tenant"> tenant, Depends<&::tenant> same) {
        testing::must(same->name == *tenant);
        return std::string{*id} + std::string{*tenant};
    });
    pay.subscriber("at.run.time").handle([](Context& context) { return std::string{*context.path("tenant")}; });
    broker.include(billing).include(pay);
    auto done = broker.subscriber<"done.acme">().messages();
    broker.start();
    CHECK(broker.request<std::string>("billing.acme.invoice.7", "") == "acme7");
    CHECK(done.next(10s));
    CHECK(broker.request<std::string>("pay.acme.8", "") == "8acme");
    CHECK(broker.request<std::string>("pay.acme.at.run.time", "") == "acme");
}

TEST_CASE_METHOD(Fixture, "broker, outer router, inner router, subscriber: around deliveries and publications") {
    Diary diary;
    Router outer{"o."};
    Router inner{"i."};
    inner.subscriber<"x">().use(note(diary, "subscriber")).use_publish(note_publish(diary, "subscriber")).handle([&] {
        diary.write("handler");
        return std::string{"done"};
    });
    inner.use(note(diary, "inner")).use_publish(note_publish(diary, "inner"));
    outer.include(inner);
    outer.use(note(diary, "outer")).use_publish(note_publish(diary, "outer"));
    outer.subscriber<"y">().handle([] { return std::string{"y"}; });
    broker.include(outer);
    broker.use(note(diary, "broker")).use_publish(note_publish(diary, "broker"));
    broker.start();
    CHECK(broker.request<std::string>("o.i.x", "") == "done");
    CHECK(eventually([&] { return broker.stats().received == 1; }));
    CHECK(diary.lines == Lines{"broker", "outer", "inner", "subscriber", "handler", "publish broker", "publish outer",
                               "publish inner", "publish subscriber"});
    diary.lines.clear();
    CHECK(broker.request<std::string>("o.y", "") == "y");
    CHECK(diary.lines == Lines{"broker", "outer", "publish broker", "publish outer"});
}

TEST_CASE_METHOD(Fixture, "error handlers and dependencies of a router hold for all in it; the inner comes first") {
    std::atomic<int> checked = 0;
    broker.provide(std::shared_ptr<std::atomic<int>>(&checked, [](auto*) {}));
    Router outer{"o."};
    Router inner{"i."};
    outer.depends<&count_call>();
    outer.on_error<std::runtime_error>([](const std::runtime_error&) { return std::string{"outer"}; });
    inner.on_error<std::exception>([](const std::exception&) { return std::string{"inner"}; });
    inner.subscriber<"x">().handle([]() -> std::string { throw std::runtime_error{"?"}; });
    outer.subscriber<"x">().handle([]() -> std::string { throw std::runtime_error{"?"}; });
    outer.include(inner);
    broker.include(outer);
    broker.subscriber<"x">().handle([] { return std::string{"plain"}; });
    broker.start();
    CHECK(broker.request<std::string>("o.i.x", "") == "inner");
    CHECK(broker.request<std::string>("o.x", "") == "outer");
    CHECK(broker.request<std::string>("x", "") == "plain");
    CHECK(checked == 2);
}

TEST_CASE_METHOD(Fixture,
                 "a router is in several brokers, under several prefixes, and its handlers share their state") {
    std::atomic<int> calls = 0;
    Router router{"r."};
    router.subscriber<"x">({.queue = "one"})
        .when(has_header("h"), [] { return 100; })
        .handle([&calls, mine = std::make_unique<int>(0)] {
            ++calls;
            return ++*mine;
        });
    Router v1{"v1."};
    v1.include(router);
    broker.include(router).include(v1);
    testing::NatsServer other_server;
    Broker other{{.servers = {other_server.url()}}};
    other.include(router);
    broker.start();
    other.start();
    CHECK(broker.request<int>("r.x", "") == 1);
    CHECK(broker.request<int>("v1.r.x", "") == 2);
    CHECK(other.request<int>("r.x", "") == 3);
    CHECK(other.request<int>("r.x", "", {.headers = {{"h", ""}}}) == 100);
    CHECK(calls == 3);
}

TEST_CASE_METHOD(Fixture, "a router may be included while the broker runs, and not changed afterwards") {
    Router router{"late."};
    router.subscriber<"x">().handle([] { return 1; });
    broker.start();
    broker.include(router);
    CHECK(broker.request<int>("late.x", "") == 1);
    CHECK_THROWS_AS(router.subscriber<"y">().handle([] {}), Error);
    CHECK_THROWS_AS(router.use([](Context& context, Next next) { return next(context); }), Error);
}

TEST_CASE_METHOD(Fixture, "the same name twice in a path, and other mistakes, are listed at start") {
    Router outer{"a.{id}."};
    Router inner{"b.{id}."};
    inner.subscriber<"x">().handle([] {});
    outer.include(inner);
    outer.subscriber<"y">().handle([](Path<"other">) {});
    Router dotless{"a{id}"};
    dotless.subscriber<"z">().handle([] {});
    broker.include(outer).include(dotless);
    const auto text = problem_of(broker);
    CHECK(text.find("a.{id}.b.{id}.x") != std::string::npos);
    CHECK(text.find("Path<\"other\">") != std::string::npos);
    CHECK(text.find("a{id}z") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a router is not included twice in one place, nor in itself") {
    Router outer{"a."};
    Router inner{"b."};
    outer.include(inner);
    CHECK_THROWS_AS(outer.include(inner), Error);
    CHECK_THROWS_AS(inner.include(outer), Error);
    CHECK_THROWS_AS(outer.include(outer), Error);
    broker.include(outer);
    CHECK_THROWS_AS(broker.include(outer), Error);
}
