// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name> names a parameter that the subscriber's subject does not have
#include <freshet/broker.hpp>

void wire(freshet::Router<"billing.{tenant}.">& billing) {
    billing.subscriber<"invoice.{id}">().handle([](freshet::Path<"tenant">, freshet::Path<"number">) {});
}
