// SPDX-License-Identifier: Apache-2.0
// Gives jobs to the running workers: `give_jobs IMAGE...`. A name given twice is one job.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "thumbnail.hpp"

int main(int argc, char** argv) try {
    freshet::Broker broker;
    broker.start();
    auto publisher = broker.jetstream().async_publisher();
    for (int i = 1; i < argc; ++i)
        publisher.publish("jobs.thumbnail", Thumbnail{.image = argv[i], .width = 200}, {.id = argv[i]});
    publisher.flush(std::chrono::seconds{10});  // throws, and says why, if one of them was not stored
    std::puts("all of them are stored");
    return EXIT_SUCCESS;
} catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
