// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a middleware is called with (Context&, Next) and returns an Outcome
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    broker.use([](freshet::Context& context, freshet::Next next) { (void)next(context); });
}
