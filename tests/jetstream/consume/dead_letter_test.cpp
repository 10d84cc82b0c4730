// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "jetstream/consume/dead_letter.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::detail;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::string_view reply = "$JS.ACK.ORDERS.billing.3.41.57.1626818873482533001.0";

Message answer(std::string_view text) { return Message::make("reply", as_bytes(text)); }

}  // namespace

TEST_CASE("a dead letter has the message's headers, and says why and where from") {
    const auto message =
        Message::make("orders.eu", {}, {{"trace", "t1"}, {"trace", "t2"}, {"content-type", "application/json"}}, reply);
    const auto headers = dead_letter_headers(message, *message.metadata(), "out of\r\nstock");
    CHECK(headers.values("trace") == std::vector<std::string_view>{"t1", "t2"});
    CHECK(headers.get("content-type") == "application/json");
    CHECK(headers.get("Dead-Letter-Reason") == "out of  stock");
    CHECK(headers.get("Dead-Letter-Subject") == "orders.eu");
    CHECK(headers.get("Dead-Letter-Stream") == "ORDERS");
    CHECK(headers.get("Dead-Letter-Consumer") == "billing");
    CHECK(headers.get("Dead-Letter-Sequence") == "41");
    CHECK(headers.get("Dead-Letter-Deliveries") == "3");
    CHECK(headers.get("Dead-Letter-Time") == "2021-07-20T22:07:53.482533001Z");
}

TEST_CASE("headers that command the server do not command it about the dead letter") {
    const auto message =
        Message::make("orders.eu", {},
                      {{"Nats-Msg-Id", "a1"}, {"Nats-Expected-Last-Sequence", "7"}, {"Nats-TTL", "1s"}}, reply);
    const auto headers = dead_letter_headers(message, *message.metadata(), "no");
    CHECK(headers.get("Dead-Letter-Nats-Msg-Id") == "a1");
    CHECK(headers.get("Dead-Letter-Nats-Expected-Last-Sequence") == "7");
    CHECK(headers.get("Dead-Letter-Nats-TTL") == "1s");
    CHECK_FALSE(headers.contains("Nats-Expected-Last-Sequence"));
    CHECK_FALSE(headers.contains("Nats-TTL"));
    CHECK(headers.get("Nats-Msg-Id") == "dead.ORDERS.billing.41.1626818873482533001");
}

TEST_CASE("anything but an error confirms a dead letter") {
    CHECK(check_dead_letter_answer("dead", answer(R"({"stream":"DEAD","seq":1})")));
    CHECK(check_dead_letter_answer("dead", answer(R"({"stream":"DEAD","seq":1,"duplicate":true})")));
    CHECK(check_dead_letter_answer("dead", answer("")));
    CHECK(check_dead_letter_answer("dead", answer("thank you")));
}

TEST_CASE("an error does not, nor does silence") {
    const auto refused = check_dead_letter_answer("dead", answer(R"({"error":{"code":503,"description":"full"}})"));
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().what(), ContainsSubstring("the dead letter on \"dead\" was refused: full"));
    const auto nobody = check_dead_letter_answer("dead", failure(Errc::no_responders, "x"));
    REQUIRE_FALSE(nobody);
    CHECK_THAT(nobody.error().what(), ContainsSubstring("no stream stores the dead letters on \"dead\""));
    const auto silent = check_dead_letter_answer("dead", failure(Errc::timeout, "x"));
    REQUIRE_FALSE(silent);
    CHECK_THAT(silent.error().what(), ContainsSubstring("nobody confirmed"));
    CHECK_FALSE(check_dead_letter_answer("dead", failure(Errc::closed, "x")));
}
