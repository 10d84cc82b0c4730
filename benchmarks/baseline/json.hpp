// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glaze/glaze.hpp>
#include <nlohmann/json.hpp>

#include "../support/order.hpp"

namespace bench {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeclaredLine, sku, quantity, price)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeclaredOrder, id, customer, region, lines, total, paid)
}  // namespace bench
