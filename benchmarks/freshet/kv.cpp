// SPDX-License-Identifier: Apache-2.0
// Puts or gets (`lane=put` or `get`) `count` values of 128 bytes in a bucket of a thousand keys, from `outstanding` threads.
#include <thread>

#include "jetstream.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::string key(long number) { return "key." + std::to_string(number % 1'000); }

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const std::string value(128, 'x');
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    const auto bucket = broker.kv<std::string>("bench", {.storage = freshet::js::Storage::memory});
    for (long i = 0; i < 1'000; ++i) bucket.put(key(i), value);
    const bool put = arguments.lane == "put";
    const auto each = arguments.count / arguments.outstanding;
    std::vector<std::chrono::nanoseconds> latencies(static_cast<std::size_t>(each * arguments.outstanding));
    const auto work = [&](long thread) {
        for (long i = 0; i < each; ++i) {
            const auto begin = Clock::now();
            if (put) bucket.put(key(i * 7 + thread * 131), value);
            else std::ignore = bucket.get(key(i * 7 + thread * 131));
            latencies[static_cast<std::size_t>(thread * each + i)] = Clock::now() - begin;
        }
    };
    bench::say_ready();
    bench::Measurement measurement;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < arguments.outstanding; ++i) threads.emplace_back(work, i);
    }
    measurement.report(each * arguments.outstanding, std::move(latencies));
}
