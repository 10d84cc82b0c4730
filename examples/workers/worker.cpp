// SPDX-License-Identifier: Apache-2.0
// Works in parallel: in the processes of a queue group and in threads, and in order where the order matters.
//
//     NATS_URL=nats://localhost:4222 ./worker            # start it as often as you like
#include <freshet/freshet.hpp>
#include <unistd.h>

#include "work.hpp"

Done done(const Job& job) { return {.number = job.number, .process = ::getpid()}; }

void wire(freshet::Broker& broker) {
    // Each job goes to one process of the queue group, and there to one of its four threads.
    broker.subscriber<"jobs.resize">({.queue = "resizers", .workers = 4}).publish_to<"jobs.resized">().handle(done);

    // Without a queue every process gets every deposit. Four threads share them. Deposits to one account are handled
    // one after the other, in the order in which they came.
    broker.subscriber<"accounts.{account}.deposit">({.workers = 4, .ordered_by = "account"})
        .publish_to<"accounts.{account}.booked">()
        .handle(done);
}

int main(int argc, char** argv) {
    freshet::Broker broker;
    wire(broker);
    return freshet::App{broker}.run(argc, argv);
}
