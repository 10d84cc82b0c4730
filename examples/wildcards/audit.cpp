// SPDX-License-Identifier: Apache-2.0
// Logs what is done to orders, by whom, and why one was cancelled. Uses wildcards, parts of the subject, and headers.
//
//     NATS_URL=nats://localhost:4222 ./audit
//     nats publish --header user:ann orders.eu.42.created '{"amount": 10}'
//     nats publish --header reason:broken orders.eu.42.cancelled ''
#include <freshet/freshet.hpp>

using freshet::Header, freshet::Logger, freshet::Message, freshet::Path;

void wire(freshet::Broker& broker) {
    // `>` matches the rest of the subject. A header that may be absent is a std::optional.
    broker.subscriber<"orders.>">().handle([](const Message& message,
                                              Header<"user", std::optional<std::string_view>> user, Logger& log) {
        log.info("{} bytes by {}", message.payload().size(), user->value_or("somebody"));
    });

    // `*` matches any one token. So does a {name}, and the handler gets it, parsed if it asks for a type. A message
    // whose id is not a number, or that has no reason, is rejected before the handler is called.
    broker.subscriber<"orders.*.{id}.cancelled">().handle([](Path<"id", int> id, Header<"reason"> reason, Logger& log) {
        log.warn("order {} was cancelled: {}", *id, *reason);
    });
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
