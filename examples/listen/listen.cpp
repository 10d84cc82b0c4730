// SPDX-License-Identifier: Apache-2.0
// Reads messages without a handler: asks for the next one. Prints the messages of a subject until COUNT have come.
//
//     NATS_URL=nats://localhost:4222 ./listen 'orders.>' [COUNT]
#include <fmt/core.h>
#include <freshet/freshet.hpp>

using namespace std::chrono_literals;

void print(const freshet::Message& message) { fmt::print("{}: {}\n", message.subject(), message.text()); }

int main(int argc, char** argv) try {
    if (argc < 2) {
        fmt::print(stderr, "usage: listen SUBJECT [COUNT]\n");
        return 2;
    }
    const std::size_t count = argc > 2 ? std::stoul(argv[2]) : 10;

    freshet::Broker broker;
    auto messages = broker.subscriber(argv[1]).messages();
    broker.start();
    fmt::print("listening on {}\n", argv[1]);
    std::fflush(stdout);

    // next(timeout) returns nothing when the time is over.
    const auto first = messages.next(30s);
    if (!first) {
        fmt::print("nothing came within 30 s\n");
        return 1;
    }
    print(*first);

    // The range goes on until the subscription or the broker is stopped.
    std::size_t seen = 1;
    if (seen == count) return 0;
    for (const freshet::Message& message : messages) {
        print(message);
        if (++seen == count) messages.stop();
    }
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "listen: {}\n", error.what());
    return 1;
}
