// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type cannot be a value in JSON: add FRESHET_JSON(Type, fields...) in its namespace
#include <map>

#include <freshet/codec.hpp>

struct Order {
    std::map<double, int> prices = {};
};
FRESHET_JSON(Order, prices);

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
