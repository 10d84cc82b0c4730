// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a hook of App is a function or a lambda
#include <freshet/app.hpp>

void wire(freshet::App& app) {
    app.on_startup([](auto&) {});
}
