// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("who publishes where no stream is learns that JetStream may be off") {
    Broker broker;
    const testing::TestBroker test{broker};
    const auto published = broker.jetstream().try_publish("orders.eu", "x");
    REQUIRE_FALSE(published);
    CHECK_THAT(published.error().what(),
               ContainsSubstring("no stream stores this subject, or JetStream is not enabled (nats-server -js)"));
}

TEST_CASE("a stream whose subjects overlap is refused with the other stream's name") {
    Broker broker;
    const testing::TestBroker test{broker};
    const auto streams = broker.jetstream();
    streams.declare({.name = "ORDERS", .subjects = {"orders.*"}});
    streams.declare({.name = "BILLS", .subjects = {"bills.>"}});

    const auto refused = streams.try_declare({.name = "ALL", .subjects = {"other", "orders.>", "bills.eu"}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == Errc::subjects_overlap);
    CHECK_THAT(refused.error().what(),
               ContainsSubstring(R"(declare stream "ALL": subjects overlap with stream "ORDERS", "BILLS")"));
}

TEST_CASE("a subscriber of a stream that is missing learns that freshet can declare it") {
    Broker broker;
    broker.subscriber<"orders.*">(js::Pull{.stream = "ORDERS", .durable = "billing"}).handle([](std::string_view) {});
    try {
        const testing::TestBroker test{broker};
        FAIL("it started");
    } catch (const Error& error) {
        CHECK(error == Errc::stream_not_found);
        CHECK_THAT(error.what(), ContainsSubstring("or give a js::Stream, so that freshet declares it"));
    }
}
