// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name> names a parameter that neither the subscriber's subject nor its router's prefix has
#include <freshet/broker.hpp>

void wire(freshet::Router<"billing.{tenant}.">& billing) {
    auto invoices = billing.router<"invoice.{id}.">();
    invoices.subscriber<"pay">().handle([](freshet::Path<"tenant">, freshet::Path<"id">) {});
    freshet::Router<"invoice."> apart;
    apart.subscriber<"pay">().handle([](freshet::Path<"tenant">) {});
    billing.include(apart);
}
