// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has two parameters of the same name
#include <freshet/broker.hpp>

void wire(freshet::Router<"billing.{tenant}.">& billing) {
    billing.subscriber<"invoice.{tenant}">().handle([] {});
}
