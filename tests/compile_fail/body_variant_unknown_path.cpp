// SPDX-License-Identifier: Apache-2.0
// expect: freshet: FRESHET_VARIANT of this body says by_path with a parameter that the subscriber's subject does not have. See docs/codecs.md#one-of-several-types
#include <freshet/broker.hpp>

#include "events.hpp"

FRESHET_VARIANT(Event, freshet::by_path("kind"), (Created, "created"), (Deleted, "deleted"));

void wire(freshet::Broker& broker) {
    broker.subscriber<"events.{type}">().handle([](const Event&) {});
}
