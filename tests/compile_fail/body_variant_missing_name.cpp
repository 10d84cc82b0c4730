// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT must name every alternative once. See docs/codecs.md
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
FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events">().handle([](const Event&) {});
}
