// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT of this body says by_path with a parameter that the subscriber's subject does not have. See docs/codecs.md#one-of-several-types
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
FRESHET_VARIANT(Event, freshet::by_path("kind"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events.{type}">().handle([](const Event&) {});
}
