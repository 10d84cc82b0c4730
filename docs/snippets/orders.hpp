// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/json.hpp>

// The bodies that most pages use.

struct Order {
    std::string id = {};
    double amount = 0;
};
struct Invoice {
    std::string order_id = {};
    double total = 0;
};
FRESHET_JSON(Order, id, amount);
FRESHET_JSON(Invoice, order_id, total);
