// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a handler takes one message body at most
#include <freshet/broker.hpp>

#include "events.hpp"

FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events">().handle([](const Event&, const Created&) {});
}
