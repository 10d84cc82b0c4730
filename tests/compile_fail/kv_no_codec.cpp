// SPDX-License-Identifier: Apache-2.0
// expect: freshet: the type of a bucket's values has no codec
#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

struct Flag {
    void* pointer = nullptr;
};

void use(freshet::Broker& broker) { broker.kv<Flag>("flags").get("a"); }
