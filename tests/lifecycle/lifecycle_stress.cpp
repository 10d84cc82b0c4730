// SPDX-License-Identifier: Apache-2.0
// The lifecycle stress by hand: lifecycle_stress memory|nats FIRST-SEED MINUTES [STEPS]. Prints each broken promise
// with its seed, and a line of figures a minute; exits with 1 if any was broken.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <malloc.h>

#include "../support/wait.hpp"
#include "lifecycle.hpp"

int main(int argc, char** argv) {
    using namespace freshet::testing;
    using Clock = std::chrono::steady_clock;
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s memory|nats FIRST-SEED MINUTES [STEPS]\n", argv[0]);
        return 2;
    }
    const auto ground = std::string_view{argv[1]} == "nats" ? Ground::nats : Ground::memory;
    auto seed = std::strtoull(argv[2], nullptr, 10);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double, std::ratio<60>>{std::strtod(argv[3], nullptr)});
    const int steps = argc > 4 ? std::atoi(argv[4]) : 40;

    Lifecycle lifecycle{ground};
    LifecycleReport sum;
    std::size_t runs = 0;
    std::size_t broken = 0;
    std::size_t threads = 0;
    auto next_line = Clock::now();
    for (; runs == 0 || Clock::now() < end; ++seed, ++runs) {
        const auto report = lifecycle.run({.seed = seed, .ground = ground, .steps = steps});
        sum.brokers += report.brokers;
        sum.subscribers += report.subscribers;
        sum.published += report.published;
        sum.handled += report.handled;
        sum.requests += report.requests;
        sum.stored += report.stored;
        for (const auto& what : report.broken) std::printf("seed %llu: %s\n", seed, what.c_str());
        broken += report.broken.size();
        if (runs == 3) threads = thread_count();
        if (runs > 3 && !eventually([&] { return thread_count() <= threads; }, std::chrono::seconds{2})) {
            std::printf("seed %llu: %zu threads are left, %zu before\n", seed, thread_count(), threads);
            threads = thread_count();
            ++broken;
        }
        if (Clock::now() < next_line) continue;
        next_line = Clock::now() + std::chrono::minutes{1};
        std::printf(
            "%zu runs, %llu brokers, %llu subscribers, %llu published, %llu handled, %llu requests, %llu stored; %zu threads, "
            "%zu KiB in use; %zu broken promises\n",
            runs + 1, static_cast<unsigned long long>(sum.brokers), static_cast<unsigned long long>(sum.subscribers),
            static_cast<unsigned long long>(sum.published), static_cast<unsigned long long>(sum.handled),
            static_cast<unsigned long long>(sum.requests), static_cast<unsigned long long>(sum.stored), thread_count(),
            mallinfo2().uordblks / 1024, broken);
        std::fflush(stdout);
    }
    std::printf("%zu runs: %zu broken promises\n", runs, broken);
    return broken == 0 ? 0 : 1;
}
