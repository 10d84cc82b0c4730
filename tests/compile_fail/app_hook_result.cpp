// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a hook of App returns nothing
#include <freshet/app.hpp>

void wire(freshet::App& app) {
    app.on_startup([] { return 1; });
}
