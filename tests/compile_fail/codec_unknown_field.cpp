// SPDX-License-Identifier: Apache-2.0
// expect: quantity
#include <freshet/json.hpp>

struct Order {
    int qty = 0;
};
FRESHET_JSON(Order, quantity);
