// SPDX-License-Identifier: Apache-2.0
// expect: a view cannot be read into, use std::string. See docs/codecs.md
#include <string_view>

#include <freshet/codec.hpp>

struct Order {
    std::string_view id = {};
};
FRESHET_JSON(Order, id);

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
