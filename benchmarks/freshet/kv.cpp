// SPDX-License-Identifier: Apache-2.0
// Puts or gets (`lane=put` or `get`) `count` values of `size` bytes in a bucket of a thousand keys, `outstanding` at a
// time: one after the other, without waiting, or (`dispatch=threads`) from as many threads.
#include <array>
#include <thread>

#include "chain.hpp"
#include "jetstream.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Bucket = freshet::kv::Kv<std::string>;

const auto keys = [] {
    std::array<std::string, 1'000> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = "key." + std::to_string(i);
    return names;
}();

const std::string& key(long number) { return keys[static_cast<std::size_t>(number * 7) % keys.size()]; }

void run_threads(const Bucket& bucket, const bench::Arguments& arguments, const std::string& value) {
    const bool put = arguments.lane == "put";
    const auto each = arguments.count / arguments.outstanding;
    std::vector<std::chrono::nanoseconds> latencies(static_cast<std::size_t>(each * arguments.outstanding));
    const auto work = [&](long thread) {
        for (long i = 0; i < each; ++i) {
            const auto begin = Clock::now();
            if (put) bucket.put(key(i + thread * 13), value);
            else std::ignore = bucket.get(key(i + thread * 13));
            latencies[static_cast<std::size_t>(thread * each + i)] = Clock::now() - begin;
        }
    };
    bench::Measurement measurement;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < arguments.outstanding; ++i) threads.emplace_back(work, i);
    }
    measurement.report(each * arguments.outstanding, std::move(latencies));
}

void run_chain(const Bucket& bucket, const bench::Arguments& arguments, const std::string& value) {
    bench::Measurement measurement;
    bench::Chain chain{arguments.count, [&](long number, auto done) {
                           if (arguments.lane == "put") bucket.put_async(key(number), value, std::move(done));
                           else bucket.get_async(key(number), std::move(done));
                       }};
    measurement.report(arguments.count, chain.run(arguments.outstanding));
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const std::string value(arguments.size, 'x');
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    const auto bucket = broker.kv<std::string>("bench", {.storage = freshet::js::Storage::memory});
    for (const auto& name : keys) bucket.put(name, value);
    bench::say_ready();
    if (arguments.outstanding > 1 && arguments.dispatch != "threads") run_chain(bucket, arguments, value);
    else run_threads(bucket, arguments, value);
}
