// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_JSON leaves out a member
#include <string>

#include <freshet/json.hpp>

struct Order {
    std::string id;
    double amount = 0;
    std::string note;
};
FRESHET_JSON(Order, id, amount);
