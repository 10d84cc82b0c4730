// SPDX-License-Identifier: Apache-2.0
// expect: freshet: two alternatives of this std::variant are objects in JSON, which their members do not tell apart: add FRESHET_VARIANT(Type, "member", alternatives...). See docs/codecs.md
#include <map>
#include <string>
#include <variant>

#include <freshet/codec.hpp>

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Order {
    std::variant<Created, std::map<std::string, int>> event = {};
};
FRESHET_JSON(Order, event);

Order read(const freshet::Message& message) { return freshet::decode<Order>(message); }
