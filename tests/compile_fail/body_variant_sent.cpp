// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT says that a header or the subject tells what this std::variant is, so it can only be the body of a message that a handler takes
#include <freshet/broker.hpp>

#include "events.hpp"

FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) { broker.publish("events", Event{Created{"7"}}); }
