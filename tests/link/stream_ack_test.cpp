// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "link/stream_ack.hpp"

using namespace freshet;

namespace {

bool is_ack(std::string_view text, const Headers& headers = {}) {
    return detail::is_stream_ack(Message::make("inbox", as_bytes(text), headers));
}

}  // namespace

TEST_CASE("a stream's acknowledgement is told from a service's answer") {
    CHECK(is_ack(R"({"stream":"ORDERS", "seq":7})"));
    CHECK(is_ack(R"({"stream":"ORDERS","domain":"hub","seq":7,"duplicate":true})"));
    CHECK(is_ack(R"({"stream":"COUNT","seq":7,"val":"12"})"));
    CHECK(is_ack(R"({"stream":"B","seq":7,"batch":"id","count":3})"));
    CHECK(is_ack(
        R"({"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"S","seq":0})"));

    CHECK_FALSE(is_ack(R"({"seq":7,"stream":"ORDERS"})"));  // the server begins with the stream
    CHECK_FALSE(is_ack(""));
    CHECK_FALSE(is_ack("7"));
    CHECK_FALSE(is_ack(R"({"stream":"ORDERS"})"));
    CHECK_FALSE(is_ack(R"({"stream":"live","seq":7,"bitrate":128})"));
    CHECK_FALSE(is_ack(R"({"stream":{"name":"live"},"seq":7})"));
    CHECK_FALSE(is_ack(R"({"stream":"ORDERS","seq":7)"));
    CHECK_FALSE(is_ack(R"({"stream":"ORDERS","seq":7} )"
                       "x"));
    CHECK_FALSE(is_ack(R"({"error":{"message":"no"}})"));
    CHECK_FALSE(is_ack(R"({"error":{"err_code":1)"));
    CHECK_FALSE(is_ack(R"({"stream":"ORDERS","seq":7})", {{"content-type", "application/json"}}));
}
