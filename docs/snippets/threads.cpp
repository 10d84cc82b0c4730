// SPDX-License-Identifier: Apache-2.0
// The code of docs/threads.md.
#include <atomic>
#include <chrono>
#include <csignal>
#include <latch>
#include <memory>
#include <semaphore>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "../../tests/support/delivering_transport.hpp"
#include "../../tests/support/log_lines.hpp"
#include "../../tests/support/wait.hpp"
#include "connected.hpp"
#include "support.hpp"

using namespace std::chrono_literals;
using freshet::testing::DeliveringTransport;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using snippets::message_of;
using snippets::shown;

struct Number {
    int value = 0;
};
FRESHET_JSON(Number, value);

namespace {

using Fixture = snippets::Connected;

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

TEST_CASE_METHOD(Fixture, "choosing threads") {
    std::latch all{4};
    const auto remember = [&](std::string_view) { all.count_down(); };
    const auto print = remember;
    const auto resize = remember;
    const auto book = [&](freshet::Path<"id">) { all.count_down(); };
    // [choosing]
    broker.subscriber<"prices.{symbol}">().handle(remember);                 // microseconds
    broker.subscriber<"invoices.print">({.dedicated = true}).handle(print);  // waits for a printer, in order
    broker.subscriber<"images.resize">({.workers = 4}).handle(resize);       // computes for long, in any order
    broker.subscriber<"accounts.{id}.book">({.workers = 8, .ordered_by = "id"})
        .handle(book);  // in order for each account
    // [choosing]
    broker.start();
    for (const char* subject : {"prices.x", "invoices.print", "images.resize", "accounts.7.book"})
        broker.publish(subject, "");
    all.wait();
    CHECK(broker.stop());
}

TEST_CASE("a handler that holds up others is named") {
    LogLines log;
    DeliveringTransport* transport = nullptr;
    std::binary_semaphore printing{0};
    std::binary_semaphore printed{0};
    freshet::Broker broker{{.logger = log.logger()}, [&](const freshet::BrokerOptions&) {
                               auto made = std::make_unique<DeliveringTransport>();  // has one delivery thread
                               transport = made.get();
                               return made;
                           }};
    broker.subscriber<"invoices.print">().handle([&](std::string_view) {
        printing.release();
        printed.acquire();
    });
    broker.subscriber<"prices.{symbol}">().handle([](std::string_view) {});
    broker.start();
    transport->deliver("invoices.print");
    printing.acquire();
    transport->deliver("prices.*", 3);
    auto line = log.wait_for("has run for");
    printed.release();
    const auto from = line.find("has run for ") + 12;
    line.replace(from, line.find(" s on") - from, "1.0");
    CHECK(line == "warning: " + shown(R"(
// [stall]
the handler of "invoices.print" has run for 1.0 s on a delivery thread that subscribers share: 3 messages of "prices.{symbol}" wait behind it; if it blocks or computes for long, give it a thread of its own with .dedicated = true, or several with .workers = N. See docs/choosing-threads.md subject=invoices.print
// [stall]
)"));
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
