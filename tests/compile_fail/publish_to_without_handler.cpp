// SPDX-License-Identifier: Apache-2.0
// expect: freshet: publish_to needs a handler
#include <freshet/broker.hpp>

void wire(freshet::Broker& broker) { auto orders = broker.subscriber<"orders">().publish_to<"invoices">().messages(); }
