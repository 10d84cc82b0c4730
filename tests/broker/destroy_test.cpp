// SPDX-License-Identifier: Apache-2.0
// A broker that is destroyed where it cannot wait for its handlers: inside a handler or callback, its own or another's.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../support/must.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;
using testing::must;
using Kind = ConnectionEvent::Kind;

namespace {

/// More than there are delivery threads, so that one of them shares its thread with whoever destroys the broker.
constexpr int many = 64;

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    std::atomic<bool> destroyed = false;
    std::unique_ptr<Broker> broker = make();

    std::unique_ptr<Broker> make(std::function<void(const ConnectionEvent&)> on_event = {}) const {
        return std::make_unique<Broker>(BrokerOptions{
            .servers = {server.url()}, .stop_timeout = 1h, .on_event = std::move(on_event)});
    }
    void start() {
        for (int n = 0; n < many; ++n) broker->subscriber("many." + std::to_string(n)).handle([](std::string_view) {});
        broker->start();
    }
    void destroy() {
        broker.reset();
        destroyed = true;
    }
    bool was_destroyed() {
        return eventually([&] { return destroyed.load(); });
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside another broker's handler") {
    start();
    const auto other = make();
    other->subscriber<"end">().handle([&](std::string_view) { destroy(); });
    other->start();
    other->publish("end", "");
    REQUIRE(was_destroyed());
    CHECK(other->ping() > 0ns);
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside another broker's on_event") {
    start();
    const auto other = make([&](const ConnectionEvent& event) {
        if (event.kind == Kind::disconnected) destroy();
    });
    other->start();
    server.restart();
    REQUIRE(was_destroyed());
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside its own on_event") {
    broker = make([&](const ConnectionEvent& event) {
        if (event.kind == Kind::disconnected) destroy();
    });
    start();
    server.restart();
    REQUIRE(was_destroyed());
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside its own handler, which goes on") {
    std::atomic<bool> went_on = false;
    const auto held = std::make_shared<std::string>("still here");
    for (const auto& options :
         {SubscriberOptions{}, SubscriberOptions{.workers = 3}, SubscriberOptions{.dedicated = true}}) {
        destroyed = went_on = false;
        broker = make();
        broker->subscriber("end", options).handle([&, held](std::string_view) {
            destroy();
            must(*held == "still here");
            went_on = true;
        });
        start();
        broker->publish("end", "");
        CHECK(was_destroyed());
        CHECK(eventually([&] { return went_on.load(); }));
        CHECK(eventually([&] { return held.use_count() == 1; }));  // the last of it is gone
    }
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside the function that gets its answer") {
    broker->subscriber<"echo">().handle([](std::string_view body) { return std::string{body}; });
    start();
    broker->client<void(std::string)>("echo").async("x", [&](const Expected<void>& answer) {
        must(answer.has_value());
        destroy();
    });
    REQUIRE(was_destroyed());
}

TEST_CASE_METHOD(Fixture, "a broker is destroyed inside a function that is told of a deadline") {
    broker->subscriber<"mute">().handle([](std::string_view) {});
    start();
    broker->client<void(std::string)>("mute").async({.timeout = 1ms}, "x", [&](const Expected<void>& answer) {
        must(answer.error().code() == Errc::timeout);
        destroy();
    });
    REQUIRE(was_destroyed());
}

TEST_CASE_METHOD(Fixture, "a broker goes with the last function that holds it") {
    const auto held = std::make_shared<int>(1);
    std::shared_ptr<Broker> shared = make();
    shared->provide(held);
    shared->subscriber<"mute">().handle([](std::string_view) {});
    shared->start();
    std::binary_semaphore go{0};
    shared->client<void(std::string)>("mute").async({.timeout = 1ms}, "x",
                                                    [&go, shared](const Expected<void>&) { go.acquire(); });
    shared.reset();
    go.release();
    CHECK(eventually([&] { return held.use_count() == 1; }));
}

TEST_CASE_METHOD(Fixture, "a start that fails inside a handler fails, and does not hang") {
    testing::NatsServer strict{{.config = "authorization { users: [ { user: u, password: p, permissions: { publish: "
                                          "\">\", subscribe: { deny: \"secret\" } } } ] }"}};
    std::atomic<bool> failed = false;
    broker->subscriber<"begin">().handle([&](std::string_view) {
        Broker refused{{.servers = {strict.url("u", "p")}}};
        for (int n = 0; n < many; ++n) refused.subscriber("many." + std::to_string(n)).handle([](std::string_view) {});
        refused.subscriber<"secret">().handle([](std::string_view) {});
        try {
            refused.start();
        } catch (const Error& error) { failed = error.code() == Errc::unauthorized; }
    });
    start();
    broker->publish("begin", "");
    CHECK(eventually([&] { return failed.load(); }));
}
