// SPDX-License-Identifier: Apache-2.0
// The two connections of a transport do not notice at the same time that their server is gone.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/transport.hpp>

#include "../support/relay.hpp"
#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/transports.hpp"

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
    std::unique_ptr<Transport> transport;
    std::unique_ptr<TransportSubscription> subscription;

    Fixture() {
        transport = nats_transport({.servers = {relay.url()}, .reconnect = {.min_wait = 1ms, .max_wait = 10ms}});
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
