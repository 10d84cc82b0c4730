// SPDX-License-Identifier: Apache-2.0
// The stop of what gets messages from JetStream, while nobody is there to answer.
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/log_lines.hpp"
#include "../../support/server.hpp"
#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;  // longer than a test waits

struct Fixture {
    testing::NatsServer server = testing::NatsServer{{.jetstream = true}};
    testing::LogLines log = testing::LogLines{};
    std::optional<Broker> broker{
        std::in_place, BrokerOptions{.servers = {server.url()}, .stop_timeout = patience, .logger = log.logger()}};

    static js::Pull pull() {
        return {.stream = js::Stream{.name = "S", .subjects = {"s.>"}},
                .durable = "d",
                .expires = 1s,
                .heartbeat = 100ms,
                .context = {.timeout = patience}};
    }

    /// Has the consumer looked for at a server that does not answer, and then takes the server away.
    void lose_server() {
        server.pause();
        REQUIRE(!log.wait_for("no sign of life").empty());
        server.kill();
        REQUIRE(!log.wait_for("disconnected").empty());
    }

    void check_ends(std::function<void()> stop) {
        const auto stopped = std::async(std::launch::async, std::move(stop));
        CHECK(stopped.wait_for(20s) == std::future_status::ready);
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a subscriber stops without waiting for a server that is gone") {
    auto subscriber = broker->subscriber<"s.x">(pull()).handle([](std::string_view) {});
    broker->start();
    lose_server();
    check_ends([&] { subscriber.stop(); });
}

TEST_CASE_METHOD(Fixture, "a message stream is destroyed without waiting for a server that is gone") {
    auto stream = std::make_unique<MessageStream>(broker->subscriber<"s.x">(pull()).messages());
    broker->start();
    lose_server();
    check_ends([&] { stream.reset(); });
}

TEST_CASE_METHOD(Fixture, "a broker stops without waiting for the consumers of a server that is gone") {
    broker->subscriber<"s.x">(pull()).handle([](std::string_view) {});
    broker->start();
    lose_server();
    check_ends([&] { broker->stop(); });
}

TEST_CASE_METHOD(Fixture, "a broker goes after the messages that were taken from a consumer, whose server is gone") {
    broker->start();
    auto js = broker->jetstream({.timeout = patience});
    js.declare({.name = "S", .subjects = {"s.>"}});
    auto consumer = js.consumer("S", "d");
    consumer.declare({});
    auto deliveries = std::make_unique<js::Deliveries>(consumer.messages({.heartbeat = 100ms}));
    lose_server();
    check_ends([&] {
        deliveries.reset();
        broker.reset();
    });
}

TEST_CASE_METHOD(Fixture, "a subscriber is stopped while it declares its consumer at a server that does not answer") {
    broker->start();
    server.pause();
    auto declared =
        std::async(std::launch::async, [&] { broker->subscriber<"s.x">(pull()).handle([](std::string_view) {}); });
    REQUIRE(testing::eventually([&] { return broker->stats().requests_in_flight > 0; }));
    check_ends([&] { broker->stop(100ms); });
    server.resume();
    check_ends([&] { declared.wait(); });
}
