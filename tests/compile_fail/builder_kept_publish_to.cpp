// SPDX-License-Identifier: Apache-2.0
// expect: freshet: declare a subscriber in one expression
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) {
    auto orders = broker.subscriber<"orders">();
    orders.publish_to<"invoices">();
}
