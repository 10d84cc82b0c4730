// SPDX-License-Identifier: Apache-2.0
// expect: freshet: Path<name> names a parameter that the subscriber's subject does not have
#include <freshet/service.hpp>

void wire(freshet::Service calc) {
    calc.group<"calc.{tenant}.">().endpoint<"add">().handle([](freshet::Path<"region">) { return 1; });
}
