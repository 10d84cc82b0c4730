// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name> names a parameter that neither the subscriber's subject nor its router's prefix has
#include <freshet/broker.hpp>

void wire(freshet::Router<"billing.{tenant}.">& billing) {
    billing.subscriber<"invoice.{id}">().handle([](freshet::Path<"tenant">, freshet::Path<"number">) {});
}
