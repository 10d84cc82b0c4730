// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/freshet.hpp>
#include <freshet/version.hpp>
#include <string>

struct Order {
    std::string id = {};
    double amount = 0;
};
FRESHET_JSON(Order, id, amount);

void register_orders(freshet::Broker& broker);
