// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the answer's type has no codec
#include <freshet/broker.hpp>

struct Status {
    int load = 0;
};

void wire(freshet::Broker& broker) {
    for (auto& status : broker.request_many<Status>("status", "")) (void)status;
}
