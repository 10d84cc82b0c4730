// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT says that a header or the subject tells what this std::variant is, so it can only be the body of a message that a handler takes
#include <string>
#include <variant>

#include <freshet/broker.hpp>

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
};
FRESHET_JSON(Deleted, id);
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) { broker.publish("events", Event{Created{"7"}}); }
