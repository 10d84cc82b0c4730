// SPDX-License-Identifier: Apache-2.0
// expect: freshet: an endpoint whose subject has no letters or digits needs a name
#include <freshet/service.hpp>

void wire(freshet::Service calc) {
    calc.endpoint<">">().handle([](int a) { return a; });
}
