// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <freshet/json.hpp>

// Bodies that several tests use.

struct Order {
    std::string id = {};
    double amount = 0;
};
struct Invoice {
    std::string order_id = {};
    double total = 0;
};
struct Add {
    int a = 0;
    int b = 0;
};
struct Sum {
    int value = 0;
};
FRESHET_JSON(Order, id, amount);
FRESHET_JSON(Invoice, order_id, total);
FRESHET_JSON(Add, a, b);
FRESHET_JSON(Sum, value);
