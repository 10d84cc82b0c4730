// SPDX-License-Identifier: Apache-2.0
// expect: freshet: an alternative has a member with the name that FRESHET_VARIANT adds: choose another name. See docs/codecs.md
#include <string>
#include <variant>

#include <freshet/codec.hpp>

struct Created {
    std::string type = {};
};
FRESHET_JSON(Created, type);
using Event = std::variant<Created>;
FRESHET_VARIANT(Event, "type", (Created, "created"));

Event read(const freshet::Message& message) { return freshet::decode<Event>(message); }
