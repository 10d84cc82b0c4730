// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a lifespan returns the object
#include <freshet/app.hpp>

void wire(freshet::App& app) {
    app.lifespan([] {});
}
