// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;

TEST_CASE("in memory, too, a caller gets the service's answer where a stream stores the request") {
    Broker broker;
    broker.subscriber<"orders.make">().handle([](std::string_view) { return std::string{"made"}; });
    testing::TestBroker test{broker};
    broker.jetstream().declare({.name = "ALL", .subjects = {"orders.>"}});

    CHECK(test.request<std::string>("orders.make", "x") == "made");
    CHECK(test.client().jetstream().publish("orders.make", "x").sequence == 2);
}
