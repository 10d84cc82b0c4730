// SPDX-License-Identifier: Apache-2.0
// Streams shared with nats.py: each reads what the other has declared and published.
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/nats_py.hpp"
#include "../../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;

TEST_CASE_METHOD(testing::JetStreamFixture, "nats.py and freshet share streams") {
    if (!testing::NatsPy::is_there()) SKIP("nats.py is not installed; FRESHET_NATS_PY names a directory where it is");
    const auto js = started();
    js.declare({.name = "ORDERS", .subjects = {"orders.>"}, .max_age = 24h});
    js.publish("orders.eu", Order{"a1", 10}, {.headers = {{"tenant", "acme"}}, .id = "a1"});

    const auto [code, output] = testing::NatsPy::run({FRESHET_NATS_PY_SCRIPT, server.url()});
    INFO(output);
    REQUIRE(code == 0);
    const auto seen = nlohmann::json::parse(output, nullptr, false);
    REQUIRE(seen.is_object());
    CHECK(seen["max_age"] == 86'400);
    CHECK(nlohmann::json::parse(seen["data"].get<std::string>())["id"] == "a1");
    CHECK(seen["headers"]["tenant"] == "acme");
    CHECK(seen["duplicate"] == true);
    CHECK(js.stream("ORDERS").info().state.messages == 1);

    CHECK(js.differences({.name = "PY",
                          .subjects = {"py.>"},
                          .storage = js::Storage::memory,
                          .max_msgs = 100,
                          .max_age = 1h,
                          .discard = js::Discard::incoming,
                          .duplicate_window = 1min,
                          .allow_direct = true})
              .empty());
    const auto numbers = js.stream("PY").messages();
    REQUIRE(numbers.size() == 3);
    CHECK(numbers.at(2).decode<int>() == 2);
    CHECK(numbers.at(2).header("number") == "2");
    CHECK(js.publish("py.numbers", 3, {.expect_last_sequence = 3}).sequence == 4);
}
