// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a hook of App takes Inject, Broker&, Logger&
#include <freshet/app.hpp>

int tenant(freshet::Path<"tenant", int> id) { return *id; }

void wire(freshet::App& app) {
    app.on_startup([](freshet::Depends<&tenant>) {});
}
