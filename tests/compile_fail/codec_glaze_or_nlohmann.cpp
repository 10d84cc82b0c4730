// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type has nlohmann's to_json or from_json, and freshet::glaze is linked: include <freshet/nlohmann.hpp>
#include <nlohmann/json.hpp>

#include <freshet/codec.hpp>

struct Order {
    int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id)

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
