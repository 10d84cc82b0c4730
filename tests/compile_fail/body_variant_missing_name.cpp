// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT must name every alternative once. See docs/codecs.md
#include <freshet/broker.hpp>

#include "events.hpp"

FRESHET_VARIANT(Event, freshet::by_header("type"), (Created, "created"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events">().handle([](const Event&) {});
}
