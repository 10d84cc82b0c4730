// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has '{' or '}' inside a longer token
#include <freshet/broker.hpp>

void wire(freshet::Router<"billing.{tenant}">& billing) {
    billing.subscriber<"invoice">().handle([] {});
}
