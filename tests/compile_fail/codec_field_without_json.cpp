// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type cannot be a value in JSON: add FRESHET_JSON(Type, fields...) in its namespace
#include <freshet/codec.hpp>

struct Line {
    int qty = 0;
};
struct Order {
    Line line = {};
};
FRESHET_JSON(Order, line);

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
