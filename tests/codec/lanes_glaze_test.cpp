// SPDX-License-Identifier: Apache-2.0
#include "lane_probe.hpp"

TEST_CASE("an aggregate that glaze reflects is read by the rules of every lane") {
    freshet::testing::check_lane_cases<probe::plain::Probe>();
}
