// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>

#include "nats/refusals.hpp"

using freshet::Lane;
using freshet::detail::nats::Refusals;

TEST_CASE("what the server refuses on one connection is told apart from what it refuses on the other") {
    Refusals refusals;
    CHECK_FALSE(refusals.all_told(Lane::replies, "publish"));
    refusals.told(Lane::replies, "publish");
    refusals.told(Lane::deliveries, "subscribe");
    CHECK(refusals.all_told(Lane::replies, "publish"));
    CHECK(refusals.all_told(Lane::deliveries, "subscribe"));
    CHECK_FALSE(refusals.all_told(Lane::deliveries, "subscribe to another"));
}

TEST_CASE("a refusal that is never told is waited for once") {
    Refusals refusals;
    refusals.give_up(Lane::replies, "publish");
    CHECK(refusals.all_told(Lane::replies, "publish"));
    CHECK_FALSE(refusals.all_told(Lane::replies, "publish again"));
    CHECK_FALSE(refusals.all_told(Lane::deliveries, "publish"));
}
