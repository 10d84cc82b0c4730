// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the name of a service is empty or has other characters
#include <freshet/service.hpp>

void wire(freshet::Broker& broker) { broker.service<"my calc", "1.0.0">({}); }
