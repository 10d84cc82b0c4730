// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a view of a value would outlive it; a bucket's values are std::string
#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

void use(freshet::Broker& broker) { broker.kv<std::string_view>("flags").get("a"); }
