// SPDX-License-Identifier: Apache-2.0
// expect: freshet: this type has no codec
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
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events">().handle([](const Event&) {});
}
