// SPDX-License-Identifier: Apache-2.0
// The warning of handlers that hold up the delivery threads.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/broker.hpp>

#include "../support/delivering_transport.hpp"
#include "../support/log_lines.hpp"
#include "../support/server.hpp"
#include "../support/wait.hpp"
#include "broker/broker_core.hpp"

using freshet::Broker;
using freshet::BrokerOptions;
using freshet::Clock;
using freshet::Subscriber;
using freshet::TimePoint;
using freshet::TimerId;
using freshet::testing::DeliveringTransport;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;
using namespace std::chrono_literals;

namespace {

/// The system's time, which a test can move on; tasks run when it does.
class HandClock final : public Clock {
public:
    void advance(std::chrono::nanoseconds by) {
        std::unique_lock lock{mutex_};
        moved_ += by;
        while (!tasks_.empty() && tasks_.begin()->first.when <= now_locked()) {
            auto task = std::move(tasks_.extract(tasks_.begin()).mapped());
            lock.unlock();
            task();
            task = nullptr;
            lock.lock();
        }
    }

    TimePoint now() const noexcept override {
        const std::lock_guard lock{mutex_};
        return now_locked();
    }
    TimerId schedule(TimePoint when, Task task) override {
        const std::lock_guard lock{mutex_};
        const TimerId id{when, ++last_};
        tasks_.emplace(id, std::move(task));
        return id;
    }
    bool cancel(TimerId id) noexcept override {
        const std::lock_guard lock{mutex_};
        return tasks_.erase(id) == 1;
    }
    void cancel_and_wait(TimerId id) noexcept override { cancel(id); }

    std::size_t scheduled() const {
        const std::lock_guard lock{mutex_};
        return tasks_.size();
    }

private:
    TimePoint now_locked() const noexcept { return std::chrono::steady_clock::now() + moved_; }

    mutable std::mutex mutex_ = {};
    std::chrono::nanoseconds moved_ = {};
    std::map<TimerId, Task> tasks_ = {};
    std::uint64_t last_ = 0;
};

/// A handler that blocks until it is let go.
class Blocking {
public:
    void operator()(std::string_view) {
        entered_.release();
        leave_.acquire();
    }
    void wait_until_inside() { entered_.acquire(); }
    void let_go(int times = 1) { leave_.release(times); }

private:
    std::counting_semaphore<> entered_{0};
    std::counting_semaphore<> leave_{0};
};

struct Fixture {
    Fixture() {
        broker.core().prepare({.make_transport =
                                   [this](const BrokerOptions&) {
                                       auto made = std::make_unique<DeliveringTransport>();
                                       transport = made.get();
                                       return made;
                                   },
                               .clock = clock,
                               .observer = nullptr});
    }

    Subscriber block(const char* subject, freshet::SubscriberOptions options = {}) {
        return broker.subscriber(subject, std::move(options)).handle([this](std::string_view body) { blocking(body); });
    }
    std::size_t warnings() const {
        const auto lines = log.all();
        return static_cast<std::size_t>(std::ranges::count_if(lines, [](const std::string& line) {
            return line.find("has run for") != std::string::npos;
        }));
    }
    /// Passes time in steps in which the broker looks.
    void pass(std::chrono::milliseconds time) {
        for (; time > 0ms; time -= 500ms) clock->advance(500ms);
    }

    LogLines log = {};
    std::shared_ptr<HandClock> clock = std::make_shared<HandClock>();
    Blocking blocking = {};
    DeliveringTransport* transport = nullptr;
    Broker broker{{.logger = log.logger()}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a handler that holds up its delivery thread is named after a second, with who waits") {
    block("slow");
    std::atomic<int> handled = 0;
    broker.subscriber<"quick.{id}">().handle([&](std::string_view) { ++handled; });
    broker.subscriber<"idle">().handle([](std::string_view) {});
    broker.start();
    transport->deliver("slow");
    blocking.wait_until_inside();
    transport->deliver("quick.*", 2);
    clock->advance(500ms);
    CHECK(warnings() == 0);
    pass(1000ms);
    REQUIRE(warnings() == 1);
    const auto line = log.find("has run for");
    CHECK(line.starts_with("warning: the handler of \"slow\" has run for "));
    CHECK(line.find(": 2 messages of \"quick.{id}\" wait behind it; ") != std::string::npos);
    CHECK(line.find(".dedicated = true") != std::string::npos);
    CHECK(line.find(".workers = N") != std::string::npos);
    CHECK(line.find("idle") == std::string::npos);

    pass(40s);
    CHECK(warnings() == 1);
    pass(25s);
    CHECK(warnings() == 2);
    blocking.let_go();
    CHECK(eventually([&] { return handled == 2; }));
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "a handler behind which nobody waits is left in peace until somebody does") {
    block("slow");
    broker.start();
    transport->deliver("slow");
    blocking.wait_until_inside();
    pass(10s);
    CHECK(warnings() == 0);
    transport->deliver("slow");
    pass(500ms);
    REQUIRE(warnings() == 1);
    CHECK(log.find("has run for").find(": 1 message of its own wait") != std::string::npos);
    blocking.let_go(2);
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "many short deliveries are no long one, and nothing ticks when nothing is handled") {
    std::atomic<int> handled = 0;
    broker.subscriber<"quick">().handle([&](std::string_view) { ++handled; });
    broker.start();
    for (int i = 1; i <= 10; ++i) {
        transport->deliver("quick");
        REQUIRE(eventually([&] { return handled == i; }));
        clock->advance(500ms);
    }
    CHECK(clock->scheduled() == 1);
    pass(2s);
    CHECK(warnings() == 0);
    CHECK(clock->scheduled() == 0);
    transport->deliver("quick");
    REQUIRE(eventually([&] { return handled == 11; }));
    CHECK(clock->scheduled() == 1);
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "a handler with threads of its own may take its time") {
    block("dedicated", {.dedicated = true});
    broker.start();
    transport->deliver("dedicated", 3);
    blocking.wait_until_inside();
    pass(10s);
    CHECK(warnings() == 0);
    blocking.let_go(3);
    CHECK(broker.stop());
}

TEST_CASE_METHOD(Fixture, "a handler that holds up the subscribers of another broker is named by its own") {
    block("slow");
    broker.start();
    std::atomic<int> handled = 0;
    Broker other{{.logger = log.logger()}, [this](const BrokerOptions&) -> std::unique_ptr<freshet::Transport> {
                     return std::make_unique<DeliveringTransport>();
                 }};
    other.subscriber<"elsewhere">().handle([&](std::string_view) { ++handled; });
    other.start();
    transport->deliver("slow");
    blocking.wait_until_inside();
    transport->deliver("slow");
    pass(1500ms);
    CHECK(warnings() == 1);
    CHECK(log.find("has run for").find("elsewhere") == std::string::npos);  // nothing of it waits
    blocking.let_go(2);
    CHECK(broker.stop());
    CHECK(other.stop());
}

TEST_CASE("with a server, the warning names the subscribers that wait for the thread") {
    NatsServer server;
    LogLines log;
    const auto clock = std::make_shared<HandClock>();
    Blocking blocking;
    std::atomic<std::size_t> handled = 0;
    Broker broker{{.servers = {server.url()}, .logger = log.logger()}};
    broker.core().prepare({.clock = clock});
    broker.subscriber<"slow">().handle([&](std::string_view body) { blocking(body); });
    // More than there are delivery threads, so that one of them shares the thread of "slow".
    const std::size_t count = 2 * std::max(2U, std::thread::hardware_concurrency());
    std::vector<Subscriber> quick;
    for (std::size_t i = 0; i < count; ++i)
        quick.push_back(broker.subscriber("quick." + std::to_string(i)).handle([&](std::string_view) { ++handled; }));
    broker.start();
    broker.publish("slow", "");
    blocking.wait_until_inside();
    for (std::size_t i = 0; i < count; ++i) broker.publish("quick." + std::to_string(i), "");
    broker.ping();
    const auto pending = [&] {
        std::size_t sum = 0;
        for (const auto& subscriber : quick) sum += subscriber.stats().pending;
        return sum;
    };
    REQUIRE(eventually([&] { return pending() > 0 && handled + pending() == count; }));
    for (int i = 0; i < 3; ++i) clock->advance(500ms);
    const auto line = log.find("has run for");
    CHECK(line.starts_with("warning: the handler of \"slow\" has run for "));
    CHECK(line.find(" of \"quick.") != std::string::npos);
    blocking.let_go();
    CHECK(eventually([&] { return handled == count; }));
    CHECK(broker.stop());
    CHECK(log.find("cannot").empty());
}
