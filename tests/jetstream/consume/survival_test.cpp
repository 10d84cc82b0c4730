// SPDX-License-Identifier: Apache-2.0
// Consumers over the death of whoever takes part: the program, the server, the leader of a cluster.
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/process.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::JetStreamCluster;
using freshet::testing::NatsServer;
using freshet::testing::Process;
using freshet::testing::Seen;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};
const js::Stream in_memory{.name = "ORDERS", .subjects = {"orders.>"}, .storage = js::Storage::memory};

BrokerOptions to(const NatsServer& server) {
    return {.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}};
}

/// Publishes until the stream has confirmed it.
void publish(Broker& broker, const std::string& body) {
    REQUIRE(eventually(
        [&] { return broker.jetstream().try_publish("orders.eu", body, {.id = body, .timeout = 1s}).has_value(); },
        60s));
}

js::Pull pull(const js::StreamRef& stream) { return {.stream = stream, .durable = "worker", .heartbeat = 500ms}; }

}  // namespace

TEST_CASE("messages that a killed process held are delivered again") {
    NatsServer server{{.jetstream = true}};
    Broker broker{to(server)};
    broker.start();
    const auto jetstream = broker.jetstream();
    jetstream.declare(orders);
    const auto consumer = jetstream.consumer("ORDERS", "worker");
    consumer.declare({.filter_subjects = {"orders.*"}, .ack_wait = 1s});
    for (const std::string body : {"1", "2", "3"}) publish(broker, body);
    {
        Process service{{FRESHET_PULL_SERVICE, server.url(), "ORDERS", "worker"}};
        service.wait_for("holds 1");
        REQUIRE(eventually([&] { return consumer.info().ack_pending == 3; }));
        service.signal(SIGKILL);
        CHECK(service.wait() == 128 + SIGKILL);
    }
    Seen seen;
    broker.subscriber<"orders.*">(pull("ORDERS")).handle([&](const Message& message) {
        seen.add(std::string{message.text()} + ' ' + std::to_string(message.metadata()->deliveries));
    });
    REQUIRE(seen.wait_for(3));
    CHECK(eventually([&] { return consumer.info().ack_pending == 0; }));
    CHECK(std::set<std::string>{seen.all()[0], seen.all()[1], seen.all()[2]} ==
          std::set<std::string>{"1 2", "2 2", "3 2"});
}

TEST_CASE("a pull subscriber goes on when the server was killed and came back") {
    NatsServer server{{.jetstream = true}};
    Seen seen;
    Broker broker{to(server)};
    broker.subscriber<"orders.*">(pull(orders)).handle([&](const Message& message) {
        seen.add(std::string{message.text()});
    });
    broker.start();
    publish(broker, "1");
    REQUIRE(seen.wait_for(1));
    server.kill();
    server.restart();
    publish(broker, "2");
    CHECK(eventually([&] {
        const auto all = seen.all();
        return std::set<std::string>{all.begin(), all.end()}.contains("2");
    }));
}

TEST_CASE("a stream in memory that a restart has emptied is declared again, and its consumer") {
    NatsServer server{{.jetstream = true}};
    Seen seen, ephemeral;
    Broker broker{to(server)};
    broker.subscriber<"orders.*">(pull(in_memory)).handle([&](const Message& message) {
        seen.add(std::string{message.text()});
    });
    broker
        .subscriber<"orders.*">(js::Pull{
            .stream = "ORDERS", .ephemeral = true, .consumer = {.deliver = js::Deliver::all}, .heartbeat = 500ms})
        .handle([&](const Message& message) { ephemeral.add(std::string{message.text()}); });
    broker.start();
    for (int round = 1; round <= 2; ++round) {
        publish(broker, std::to_string(round));
        CHECK(seen.wait_for(static_cast<std::size_t>(round)));
        CHECK(ephemeral.wait_for(static_cast<std::size_t>(round)));
        if (round == 1) server.restart();
    }
    CHECK(seen.all() == std::vector<std::string>{"1", "2"});
    CHECK(ephemeral.all() == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a server that freezes for a while is noticed, and delivery goes on") {
    NatsServer server{{.jetstream = true}};
    Seen seen;
    Broker broker{to(server)};
    broker.subscriber<"orders.*">(pull(orders)).handle([&](const Message& message) {
        seen.add(std::string{message.text()});
    });
    broker.start();
    publish(broker, "1");
    REQUIRE(seen.wait_for(1));
    server.pause();
    std::this_thread::sleep_for(1'500ms);  // more than two heartbeats
    server.resume();
    publish(broker, "2");
    CHECK(seen.wait_for(2));
}

TEST_CASE("in a cluster whose leader is killed while messages are consumed, each one is handled") {
    const JetStreamCluster cluster;
    std::mutex mutex;
    std::set<std::string> seen;
    Broker broker{{.servers = cluster.urls(), .reconnect = {.min_wait = 10ms, .max_wait = 100ms}}};
    broker.start();
    const auto jetstream = broker.jetstream();
    const js::Stream replicated{.name = "ORDERS", .subjects = {"orders.>"}, .replicas = 3};
    JetStreamCluster::declare(jetstream, replicated);
    auto options = pull(replicated);
    options.workers = 4;
    options.consumer = {.ack_wait = 5s};
    broker.subscriber<"orders.*">(options).handle([&](const Message& message) {
        const std::lock_guard lock{mutex};
        seen.insert(std::string{message.text()});
    });
    constexpr int count = 300;
    for (int i = 0; i < count; ++i) {
        if (i == count / 3) {
            const auto info = jetstream.consumer("ORDERS", "worker").info();
            REQUIRE(info.cluster);
            cluster.server(info.cluster->leader).kill();
        }
        publish(broker, std::to_string(i));
    }
    CHECK(eventually(
        [&] {
            const std::lock_guard lock{mutex};
            return seen.size() == count;
        },
        60s));
}
