// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the version of a service is not a semantic version
#include <freshet/service.hpp>

void wire(freshet::Broker& broker) { broker.service<"calc", "1.0">({}); }
