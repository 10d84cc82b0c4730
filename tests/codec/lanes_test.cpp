// SPDX-License-Identifier: Apache-2.0
#include "lane_probe.hpp"

TEST_CASE("a type with FRESHET_JSON is read by the rules of every lane") {
    freshet::testing::check_lane_cases<probe::fields::Probe>();
}
