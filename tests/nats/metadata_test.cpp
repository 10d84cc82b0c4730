// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

using namespace freshet;

TEST_CASE("a message tells what the old form of its acknowledgement subject says") {
    const auto message = Message::make("orders.eu", {}, {}, "$JS.ACK.ORDERS.billing.3.41.57.1626818873482533001.12");
    const auto metadata = message.metadata();
    REQUIRE(metadata);
    CHECK(metadata->stream == "ORDERS");
    CHECK(metadata->consumer == "billing");
    CHECK(metadata->domain.empty());
    CHECK(metadata->deliveries == 3);
    CHECK(metadata->stream_sequence == 41);
    CHECK(metadata->consumer_sequence == 57);
    CHECK(metadata->pending == 12);
    CHECK(metadata->time.time_since_epoch() == std::chrono::nanoseconds{1'626'818'873'482'533'001});
}

TEST_CASE("the new form has a domain and an account, and may have more behind") {
    for (const std::string more : {"", ".x4Zf", ".x4Zf.and.more"}) {
        const auto reply = "$JS.ACK.hub.ACCOUNT.ORDERS.billing.1.2.3.4.5" + more;
        const auto metadata = parse_ack_subject(reply);
        REQUIRE(metadata);
        CHECK(metadata->domain == "hub");
        CHECK(metadata->stream == "ORDERS");
        CHECK(metadata->consumer == "billing");
        CHECK(metadata->deliveries == 1);
        CHECK(metadata->stream_sequence == 2);
        CHECK(metadata->consumer_sequence == 3);
        CHECK(metadata->time.time_since_epoch() == std::chrono::nanoseconds{4});
        CHECK(metadata->pending == 5);
    }
}

TEST_CASE("numbers may be as large as they can be, and a time before 1970") {
    const auto metadata =
        parse_ack_subject("$JS.ACK.S.C.18446744073709551615.9999999999999999999.0.-6795364578871345152.007");
    REQUIRE(metadata);
    CHECK(metadata->deliveries == 18'446'744'073'709'551'615U);
    CHECK(metadata->stream_sequence == 9'999'999'999'999'999'999U);
    CHECK(metadata->consumer_sequence == 0);
    CHECK(metadata->time.time_since_epoch() == std::chrono::nanoseconds{-6'795'364'578'871'345'152});
    CHECK(metadata->pending == 7);
    CHECK_FALSE(parse_ack_subject("$JS.ACK.S.C.1.2.3.9223372036854775808.5"));  // one nanosecond too late
}

TEST_CASE("tokens may be of any length") {
    for (std::size_t length = 1; length < 20; ++length) {
        const std::string name(length, 'n');
        const auto reply = "$JS.ACK." + name + ".c.1.2.3.4.5";
        const auto metadata = parse_ack_subject(reply);
        REQUIRE(metadata);
        CHECK(metadata->stream == name);
        CHECK(metadata->consumer == "c");
        CHECK(metadata->pending == 5);
    }
}

TEST_CASE("an underscore is no domain") {
    const auto metadata = parse_ack_subject("$JS.ACK._.ACCOUNT.ORDERS.billing.1.2.3.4.5");
    REQUIRE(metadata);
    CHECK(metadata->domain.empty());
}

TEST_CASE("other reply subjects tell nothing") {
    for (const auto* reply :
         {"", "_INBOX.abc.1", "$JS.ACK.", "$JS.ACK.ORDERS.billing.1.2.3.4", "$JS.ACK.ORDERS.billing.1.2.3.4.5.6",
          "$JS.ACK.ORDERS.billing.one.2.3.4.5", "$JS.ACK.ORDERS.billing.1.2.3.4.", "$JS.ACK.ORDERS.billing.1.-2.3.4.5",
          "$JS.ACK.ORDERS.billing.1.99999999999999999999.3.4.5"}) {
        CAPTURE(reply);
        CHECK_FALSE(parse_ack_subject(reply));
    }
    CHECK_FALSE(Message::make("orders.eu").metadata());
    CHECK_FALSE(Message{}.metadata());
}
