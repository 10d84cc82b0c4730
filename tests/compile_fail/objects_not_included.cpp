// SPDX-License-Identifier: Apache-2.0
// expect: freshet: JetStream, buckets and object stores need #include <freshet/jetstream.hpp>
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { auto files = broker.object_store("files"); }
