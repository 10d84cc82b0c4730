// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../../support/log_lines.hpp"

using namespace freshet;
using namespace std::chrono_literals;

namespace {

std::ptrdiff_t count(const testing::LogLines& log, std::string_view text) {
    return std::ranges::count_if(log.all(), [&](const std::string& line) { return line.contains(text); });
}

}  // namespace

TEST_CASE("a message whose dead letter nobody keeps is given up once") {
    testing::LogLines log;
    Broker broker{{.logger = log.logger()}};
    broker
        .subscriber<"orders.*">(js::Pull{.stream = js::Stream{.name = "ORDERS", .subjects = {"orders.*"}},
                                         .durable = "billing",
                                         .retry = {.max_attempts = 1, .dead_letter = "dead.orders"}})
        .handle([](std::string_view) { throw std::runtime_error{"the disk is full"}; });
    testing::TestBroker test{broker};
    test.publish("orders.eu", "x");
    test.advance(10s);

    CHECK(count(log, "handler failed: std::runtime_error: the disk is full; attempt 1 of 1, given up") == 1);
    CHECK(count(log, "is given up") == 0);
    CHECK(count(log, "was not kept") == 1);
    CHECK(log.find("was not kept").contains("the dead letter of message 1 was not kept, so the message stays and is "));
    CHECK(log.find("was not kept").contains("until one is kept: no stream"));

    broker.jetstream().declare({.name = "DEAD", .subjects = {"dead.>"}});
    test.advance(1min);
    CHECK(test.published<std::string>("dead.orders").size() > 1);
    CHECK(broker.jetstream().stream("DEAD").info().state.messages == 1);
    CHECK(broker.jetstream().consumer("ORDERS", "billing").info().ack_pending == 0);
    CHECK(count(log, "is given up") == 1);
    CHECK(log.find("is given up").ends_with(R"(its dead letter is message 1 of stream "DEAD": the disk is full)"));
    CHECK(count(log, "dead letters are kept again") == 1);
    CHECK(count(log, "handler failed") == 1);
}
