// SPDX-License-Identifier: Apache-2.0
// The two connections of a transport do not notice at the same time that their server is gone.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/transport.hpp>

#include "../support/relay.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"
#include "../support/wait.hpp"

using namespace freshet;
using namespace freshet::testing;
using namespace std::chrono_literals;
using Kind = ConnectionEvent::Kind;

namespace {

// The order in which a transport connects.
constexpr std::size_t publishing = 0;
constexpr std::size_t delivering = 1;

struct Fixture {
    NatsServer server = NatsServer{};
    Relay relay{server.port()};
    EventLog events = EventLog{};
    std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
    std::atomic<int> losses = 0;
    std::unique_ptr<Transport> transport;
    std::unique_ptr<TransportSubscription> subscription;

    Fixture() {
        transport = nats_transport(
            {.servers = {relay.url()}, .reconnect = {.min_wait = 1ms, .max_wait = 10ms}, .connect_timeout = 60s});
        transport->on_loss([this] { ++losses; });
        value_or_raise(transport->open(20s, events.sink()));
        subscription = subscribe(*transport, inbox, {.subject = "x", .lane = Lane::replies});
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "after the event disconnected no publication goes into a connection that is dead, too") {
    relay.swallow(publishing);
    relay.hang_up(delivering);
    REQUIRE(events.wait_for(Kind::disconnected));
    publish(*transport, "x", "meanwhile");
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(inbox->wait_for(1));
    CHECK(events.kinds() == std::vector{Kind::connected, Kind::disconnected, Kind::reconnected});
    CHECK(transport->stats().reconnects == 1);
}

TEST_CASE_METHOD(Fixture, "the loss of one connection alone is a loss, and publications go on over the other") {
    relay.hang_up(delivering);
    REQUIRE(events.wait_for(Kind::disconnected));
    publish(*transport, "x", "meanwhile");
    CHECK(inbox->wait_for(1));
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(transport->stats().reconnects == 1);
}

TEST_CASE_METHOD(Fixture, "a loss is told at once, and the event disconnected when it is known what was lost") {
    relay.silence(publishing);
    relay.hang_up(delivering);
    REQUIRE(eventually([&] { return losses > 0; }));
    CHECK(events.kinds() == std::vector{Kind::connected});
    relay.hang_up(publishing);
    REQUIRE(events.wait_for(Kind::reconnected));
    CHECK(events.kinds() == std::vector{Kind::connected, Kind::disconnected, Kind::reconnected});
}

TEST_CASE_METHOD(Fixture, "a loss is told while the thread for events is busy") {
    std::latch entered{1};
    std::latch release{1};
    Relay another{server.port()};
    const auto busy = nats_transport({.servers = {another.url()}, .reconnect = {.min_wait = 1ms, .max_wait = 10ms}});
    value_or_raise(busy->open(20s, [&](const ConnectionEvent& event) {
        if (event.kind != Kind::disconnected) return;
        entered.count_down();
        release.wait();
    }));
    another.hang_up(delivering);
    entered.wait();
    relay.hang_up(delivering);
    CHECK(eventually([&] { return losses > 0; }));
    CHECK(events.kinds() == std::vector{Kind::connected});
    release.count_down();
    CHECK(events.wait_for(Kind::reconnected));
}
