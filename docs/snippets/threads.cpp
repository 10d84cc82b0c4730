// SPDX-License-Identifier: Apache-2.0
// The code of docs/threads.md.
#include <atomic>
#include <chrono>
#include <csignal>
#include <latch>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/server.hpp"
#include "../../tests/support/wait.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::eventually;
using freshet::testing::NatsServer;
using snippets::message_of;
using snippets::shown;

struct Number {
    int value = 0;
};
FRESHET_JSON(Number, value);

namespace {

struct Fixture {
    NatsServer server = NatsServer{};
    freshet::Broker broker{{.servers = {server.url()}}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a handler that asks itself waits in vain") {
    // [starve]
    broker.subscriber<"sum">().handle([](const Number& number, freshet::Broker& self) -> Number {
        if (number.value == 0) return {0};
        return {number.value + self.request<Number>("sum", Number{number.value - 1}, {.timeout = 200ms}).value};
    });
    // [starve]
    broker.start();
    const auto sum = broker.try_request<Number>("sum", Number{3}, {.timeout = 20s});
    REQUIRE_FALSE(sum);
    CHECK(sum.error().remote_code() == 504);
}

TEST_CASE_METHOD(Fixture, "a dedicated handler blocks nobody") {
    std::binary_semaphore done{0};
    // [dedicated]
    broker.subscriber<"slow">({.dedicated = true}).handle([&](std::string_view) {
        done.acquire();  // blocks until the other one was called
        return freshet::Response<>{};
    });
    broker.subscriber<"quick">().handle([&](std::string_view) { done.release(); });
    // [dedicated]
    broker.start();
    auto slow = broker.client<void()>("slow", {.timeout = 20s}).async();
    broker.publish("quick", "");
    CHECK_NOTHROW(slow.get());
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "stop handles what has arrived") {
    std::atomic<int> handled = 0;
    broker.subscriber<"jobs">().handle([&](std::string_view) { ++handled; });
    broker.start();
    for (int i = 0; i < 1000; ++i) broker.publish("jobs", "");
    broker.ping();
    // [stop]
    if (!broker.stop(5s)) broker.logger().warn("not everything was handled");
    // [stop]
    CHECK(handled == 1000);
    CHECK(broker.stats().failed == 0);
}

TEST_CASE_METHOD(Fixture, "a handler that takes long sees the stop") {
    std::latch started{1};
    std::atomic<bool> ended_early = false;
    // [stop-token]
    broker.subscriber<"reports.make">({.dedicated = true}).handle([&](std::string_view, std::stop_token stop) {
        for (int page = 0; page < 1'000'000; ++page) {
            if (stop.stop_requested()) {
                ended_early = true;
                return;
            }
            if (page == 0) started.count_down();
            std::this_thread::sleep_for(1ms);  // makes the page
        }
    });
    // [stop-token]
    broker.start();
    broker.publish("reports.make", "");
    started.wait();
    CHECK(broker.stop());
    CHECK(ended_early);
}

TEST_CASE_METHOD(Fixture, "stop inside a handler") {
    // [stop-inside]
    broker.subscriber<"admin.stop">().handle([](std::string_view, freshet::Broker& self) {
        self.stop();  // begins it, and returns at once
        return freshet::Response<>{};
    });
    // [stop-inside]
    freshet::Broker caller{{.servers = {server.url()}}};
    caller.start();
    std::thread waiting{[&] { broker.run(); }};
    CHECK(eventually([&] { return caller.try_request<void>("admin.stop", "", {.timeout = 20s}).has_value(); }));
    waiting.join();
    CHECK_FALSE(broker.running());
}

TEST_CASE_METHOD(Fixture, "run ends with a signal") {
    freshet::Broker events{{.servers = {server.url()}}};
    std::thread operating{[&] {
        eventually([&] { return broker.running(); });
        ::kill(::getpid(), SIGTERM);
    }};
    // [run]
    events.start();
    broker.run();  // until a signal
    events.stop();
    // [run]
    operating.join();
    CHECK_FALSE(broker.running());
    CHECK_FALSE(events.running());
}

TEST_CASE_METHOD(Fixture, "a forked child is told") {
    broker.start();
    const auto child = ::fork();
    if (child == 0) {
        const auto sent = broker.try_publish("news", "x");
        const auto said = message_of([&] { freshet::Broker{{.servers = {server.url()}}}.start(); });
        const bool told = !sent && said == shown(R"(
// [fork]
start: this process was forked after its parent had started a broker, and has none of the threads that a broker needs; fork first, then start the brokers
// [fork]
)");
        ::_exit(told ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
