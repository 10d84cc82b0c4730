// SPDX-License-Identifier: Apache-2.0
// The code of docs/middleware.md that needs more than the core.
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/kv/deduplicate.hpp>
#include <freshet/middleware/compression.hpp>
#include <freshet/testing.hpp>

using namespace std::chrono_literals;

TEST_CASE("compression") {
    freshet::Broker broker;
    // [compression]
    const freshet::Compression compression{{.min_size = 1'024, .max_size = std::size_t{16} << 20}};
    broker.use(compression).use_publish(compression);
    // [compression]
    broker.subscriber<"texts">().handle([](std::string_view text) { return text.size(); });
    freshet::testing::TestBroker test{broker};
    CHECK(broker.request<std::size_t>("texts", std::string(10'000, 'x')) == 10'000);
    CHECK(test.published("texts").at(0).body.size() < 1'000);
}

TEST_CASE("handled once by all processes") {
    freshet::Broker broker;
    // [deduplicate]
    broker.use(freshet::kv::Deduplicate{broker, "billing-handled", {.window = 10min, .claim = 1min}});
    // [deduplicate]
    int handled = 0;
    broker.subscriber<"bills">().handle([&] { ++handled; });
    freshet::testing::TestBroker test{broker, freshet::testing::with_server};
    for (int i = 0; i < 2; ++i) test.publish("bills", "", {.headers = {{"Nats-Msg-Id", "b1"}}});
    CHECK(handled == 1);
}
