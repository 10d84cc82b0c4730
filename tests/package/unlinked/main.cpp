// SPDX-License-Identifier: Apache-2.0
// A user's program that includes the module jetstream, and is linked without its target.
#include <freshet/jetstream.hpp>

int main() {
    freshet::Broker broker;
    broker.jetstream();
}
