// SPDX-License-Identifier: Apache-2.0
// The JetStream module of the package: it links, and says that the broker is not started.
#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

int main() {
    freshet::Broker broker;
    const auto declared = broker.jetstream().try_declare({.name = "ORDERS", .subjects = {"orders.>"}});
    return !declared && declared.error().code() == freshet::Errc::closed ? 0 : 1;
}
