// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the name of an endpoint has other characters than letters
#include <freshet/service.hpp>

void wire(freshet::Service calc) {
    calc.endpoint<"calc.add", "calc.add">().handle([](int a) { return a; });
}
