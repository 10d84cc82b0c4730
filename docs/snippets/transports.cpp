// SPDX-License-Identifier: Apache-2.0
// The code of docs/transports.md.
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/broker.hpp>
#include <freshet/testing.hpp>

#include "recording_transport.hpp"

TEST_CASE("a broker over a transport that records") {
    const freshet::testing::Server server;
    const freshet::BrokerOptions options{.servers = {server.url()}};

    // [broker]
    const auto record = std::make_shared<Record>();
    freshet::Broker broker{options, [record](const freshet::BrokerOptions& given) {
                               return std::make_unique<RecordingTransport>(freshet::nats_transport(given), record);
                           }};
    broker.start();
    broker.publish("orders.created", "42");
    // [broker]

    CHECK(record->subjects() == std::vector<std::string>{"orders.created"});
}
