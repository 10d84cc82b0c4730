// SPDX-License-Identifier: Apache-2.0
// Which thread runs what: the promises of docs/threads.md, requests.md and app.md.
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/app.hpp>
#include <freshet/freshet.hpp>

#include "../support/relay.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;
using Kind = ConnectionEvent::Kind;
using Thread = std::thread::id;

namespace {

struct Fixture {
    testing::NatsServer server = testing::NatsServer{};
    Broker broker{{.servers = {server.url()}}};
    std::atomic<Thread> handler = Thread{};

    Fixture() {
        broker.subscriber<"echo">().handle([&](std::string_view body) {
            handler = std::this_thread::get_id();
            return std::string{body};
        });
        broker.subscriber<"mute">().handle([](std::string_view) {});
    }

    /// Asks, does `then`, and returns the thread that was told of the end.
    template <class Then>
    Thread told(std::string_view subject, std::chrono::milliseconds timeout, Then then) {
        std::promise<Thread> thread;
        auto future = thread.get_future();
        broker.client<void(std::string)>(std::string{subject})
            .async({.timeout = timeout}, "x",
                   [&](const Expected<void>&) { thread.set_value(std::this_thread::get_id()); });
        then();
        return future.get();
    }
    Thread told(std::string_view subject, std::chrono::milliseconds timeout) {
        return told(subject, timeout, [] {});
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a function given to async is called by the threads that the page names") {
    const auto caller = std::this_thread::get_id();
    CHECK(told("echo", 20s) == caller);  // the broker does not run, so nothing can be sent
    broker.start();
    const auto answers = told("echo", 20s);
    CHECK(answers != caller);
    CHECK(answers != handler);
    CHECK(told("echo", 20s) == answers);
    const auto timer = told("mute", 1ms);
    CHECK(timer != caller);
    CHECK(timer != answers);
    CHECK(told("mute", 1ms) == timer);
    const auto stopper = told("mute", 1h, [&] { broker.stop(); });
    CHECK(stopper != caller);
    CHECK(stopper != answers);
}

TEST_CASE("connected is told on the thread that starts the broker, what comes later on another") {
    testing::NatsServer server;
    testing::Relay relay{server.port()};
    std::mutex mutex;
    std::vector<std::pair<Kind, Thread>> told;
    Broker broker{{.servers = {relay.url()},
                   .reconnect = {.min_wait = 1ms, .max_wait = 10ms},
                   .on_event = [&](const ConnectionEvent& event) {
                       const std::lock_guard lock{mutex};
                       told.emplace_back(event.kind, std::this_thread::get_id());
                   }}};
    std::promise<Thread> starter;
    std::jthread{[&] {
        starter.set_value(std::this_thread::get_id());
        broker.start();
    }}.join();
    relay.hang_up(0);
    const auto back = [&] {
        const std::lock_guard lock{mutex};
        return told.back().first == Kind::reconnected;
    };
    REQUIRE(eventually(back));
    broker.stop();
    const auto thread = starter.get_future().get();
    for (const auto& [kind, on] : told) CHECK((on == thread) == (kind == Kind::connected));
}

TEST_CASE_METHOD(Fixture, "batches are handled by one thread of their subscriber") {
    std::mutex mutex;
    std::vector<Thread> threads;
    broker.subscriber<"batches">({.batch = {.size = 1}}).handle([&](std::span<const std::string>) {
        const std::lock_guard lock{mutex};
        threads.push_back(std::this_thread::get_id());
    });
    broker.start();
    for (int i = 0; i < 20; ++i) broker.publish("batches", "x");
    broker.request<std::string>("echo", "x");
    CHECK(broker.stop());
    REQUIRE(threads.size() == 20);
    for (const auto one : threads) CHECK((one == threads.front() && one != handler));
}

TEST_CASE_METHOD(Fixture, "hooks run one after the other on the thread of run()") {
    App app{broker};
    std::vector<Thread> threads;
    const auto note = [&] { threads.push_back(std::this_thread::get_id()); };
    app.lifespan([&] {
        note();
        return 1;
    });
    app.on_startup(note);
    app.after_startup([&] {
        note();
        app.exit(3);
    });
    app.on_shutdown(note);
    app.after_shutdown(note);
    CHECK(app.run() == 3);
    CHECK(threads == std::vector(5, std::this_thread::get_id()));
}
