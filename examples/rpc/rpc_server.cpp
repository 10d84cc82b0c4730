// SPDX-License-Identifier: Apache-2.0
// Offers remote functions. Start several: they share the work.
//
//     NATS_URL=nats://localhost:4222 ./rpc_server
#include <thread>

#include <freshet/freshet.hpp>
#include <unistd.h>

#include "calc.hpp"

using namespace std::chrono_literals;

// Divides; a plain function may be a handler. The caller gets the exception as a RemoteError with this code.
Quotient divide(const Division& division) {
    if (division.by == 0) throw freshet::RemoteError{422, "cannot divide by 0"};
    return {.value = division.number / division.by};
}

void wire(freshet::Broker& broker) {
    // One member of the queue group answers each request.
    const auto divisions = broker.subscriber<"calc.divide">({.queue = "calc"}).handle(divide);

    // A handler that blocks has a thread of its own, so that it does not delay the others.
    broker.subscriber<"calc.slow">({.queue = "calc", .dedicated = true}).handle([]() -> Quotient {
        std::this_thread::sleep_for(1s);
        return {.value = 1};
    });

    // Without a queue every server answers.
    broker.subscriber<"calc.status">().handle([divisions]() -> Status {
        return {.process = ::getpid(), .divisions = divisions.stats().received};
    });
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
