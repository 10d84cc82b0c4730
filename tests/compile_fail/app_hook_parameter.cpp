// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a hook of App takes Inject, Broker&, Logger&
#include <freshet/app.hpp>

void wire(freshet::App& app) {
    app.on_startup([](freshet::Path<"id">) {});
}
