// SPDX-License-Identifier: Apache-2.0
#include "shapes.hpp"

TEST_CASE("aggregates take what the standard library has and JSON has not, as FRESHET_JSON does") {
    shapes::check<shapes::plain::Whole, shapes::plain::Event, shapes::plain::Inner>();
}
