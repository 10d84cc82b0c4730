// SPDX-License-Identifier: Apache-2.0
// expect-warning: freshet: call .handle(...): nothing is registered until then
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { broker.subscriber<"orders">(); }
