// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a subject pattern has an empty token
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { (void)broker.subscriber<"orders..created">(); }
