// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_JSON leaves out a member
#include <string>

#include <freshet/json.hpp>

struct Named {
    std::string name;
};
struct Order : Named {
    double amount = 0;
};
FRESHET_JSON(Order, amount);
