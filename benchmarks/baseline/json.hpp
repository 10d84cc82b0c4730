// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glaze/glaze.hpp>
#include <nlohmann/json.hpp>

#include "../support/order.hpp"

namespace bench {
/// What JSON needs that may contain any text; without it glaze writes zeros for control characters.
struct GlazeOptions : glz::opts {
    bool escape_control_characters = true;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeclaredLine, sku, quantity, price)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeclaredOrder, id, customer, region, lines, total, paid)
}  // namespace bench
