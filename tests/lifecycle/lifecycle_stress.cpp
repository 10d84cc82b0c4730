// SPDX-License-Identifier: Apache-2.0
// The lifecycle stress by hand: lifecycle_stress memory|nats FIRST-SEED MINUTES [STEPS]; 0 minutes: one run. Prints
// each broken promise with its seed, and a line of figures a minute; exits with 1 if any was broken.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "../support/wait.hpp"
#include "footprint.hpp"
#include "lifecycle.hpp"

namespace {

using namespace freshet::testing;
using Clock = std::chrono::steady_clock;

constexpr std::size_t warm_up = 10;            // runs, until caches are filled and the libraries have their threads
constexpr std::size_t allowed_growth = 4'096;  // KiB in use, after the warm-up

/// The runs so far, and what the process holds.
class Tally {
public:
    void add(std::uint64_t seed, const LifecycleReport& report) {
        ++runs_;
        sum_.brokers += report.brokers;
        sum_.subscribers += report.subscribers;
        sum_.published += report.published;
        sum_.handled += report.handled;
        sum_.requests += report.requests;
        sum_.stored += report.stored;
        for (const auto& what : report.broken) broken(seed, what.c_str());
        if (runs_ == warm_up) before_ = Footprint::now();
        if (runs_ <= warm_up) return;
        const auto few = [this] { return Footprint::now().threads <= before_.threads; };
        if (!eventually(few, std::chrono::seconds{5})) {
            broken(seed, "threads are left");
            before_.threads = Footprint::now().threads;
        }
        if (Footprint::now().in_use > before_.in_use + allowed_growth) {
            broken(seed, "memory is left");
            print();
            before_.in_use = Footprint::now().in_use;
        }
    }

    void print() const {
        const auto now = Footprint::now();
        std::printf("%zu runs, %llu brokers, %llu subscribers, %llu published, %llu handled, %llu requests, "
                    "%llu stored; %zu threads (%zu before), %zu KiB in use (%zu), %zu KiB resident (%zu); "
                    "%zu broken promises\n",
                    runs_, number(sum_.brokers), number(sum_.subscribers), number(sum_.published), number(sum_.handled),
                    number(sum_.requests), number(sum_.stored), now.threads, before_.threads, now.in_use,
                    before_.in_use, now.resident, before_.resident, broken_);
        std::fflush(stdout);
    }

    std::size_t broken() const noexcept { return broken_; }

private:
    static unsigned long long number(std::uint64_t value) { return value; }

    void broken(std::uint64_t seed, const char* what) {
        ++broken_;
        std::printf("seed %llu: %s\n", number(seed), what);
        std::fflush(stdout);
    }

    LifecycleReport sum_ = {};
    Footprint before_ = {};
    std::size_t runs_ = 0;
    std::size_t broken_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s memory|nats FIRST-SEED MINUTES [STEPS]\n", argv[0]);
        return 2;
    }
    const auto ground = std::string_view{argv[1]} == "nats" ? Ground::nats : Ground::memory;
    auto seed = std::strtoull(argv[2], nullptr, 10);
    const std::chrono::duration<double, std::ratio<60>> minutes{std::strtod(argv[3], nullptr)};
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(minutes);
    LifecycleOptions options{.ground = ground};
    if (argc > 4) options.steps = std::atoi(argv[4]);

    Lifecycle lifecycle{ground};
    Tally tally;
    auto next_line = Clock::now() + std::chrono::minutes{1};
    do {
        options.seed = seed;
        tally.add(seed++, lifecycle.run(options));
        if (Clock::now() < next_line) continue;
        next_line += std::chrono::minutes{1};
        tally.print();
    } while (Clock::now() < end);
    tally.print();
    return tally.broken() == 0 ? 0 : 1;
}
