// SPDX-License-Identifier: Apache-2.0
// Streams shared with nats.py: each reads what the other has declared and published.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "../support/jetstream.hpp"
#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;

namespace {

/// What the script prints.
std::string run_nats_py(const std::string& url) {
    struct Close {
        void operator()(std::FILE* file) const noexcept { ::pclose(file); }
    };
    const auto command = std::string{"python3 " FRESHET_NATS_PY_SCRIPT " "} + url;
    const std::unique_ptr<std::FILE, Close> output{::popen(command.c_str(), "r")};
    std::string text;
    for (int c = 0; output != nullptr && (c = std::fgetc(output.get())) != EOF;) text.push_back(static_cast<char>(c));
    return text;
}

}  // namespace

TEST_CASE_METHOD(testing::JetStreamFixture, "nats.py and freshet share streams") {
    if (std::system("python3 -c 'import nats' 2>/dev/null") != 0) SKIP("python3 has no nats-py: pip install nats-py");
    const auto js = started();
    js.declare({.name = "ORDERS", .subjects = {"orders.>"}, .max_age = 24h});
    js.publish("orders.eu", Order{"a1", 10}, {.headers = {{"tenant", "acme"}}, .id = "a1"});

    const auto seen = nlohmann::json::parse(run_nats_py(server.url()), nullptr, false);
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
    CHECK(numbers.at(2).message.header("number") == "2");
    CHECK(js.publish("py.numbers", 3, {.expect_last_sequence = 3}).sequence == 4);
}
