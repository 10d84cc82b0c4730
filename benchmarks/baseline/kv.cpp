// SPDX-License-Identifier: Apache-2.0
// Puts or gets (`lane=put` or `get`) `count` values of `size` bytes in a bucket of a thousand keys, from `outstanding`
// threads.
#include <thread>

#include "jetstream.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::string key(long number) { return "key." + std::to_string(number % 1'000); }

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const std::string value(arguments.size, 'x');
    const auto length = static_cast<int>(value.size());
    auto* const connection = bench::connect(arguments);
    auto* const context = bench::jetstream(connection, 4'096);
    kvConfig config;
    kvConfig_Init(&config);
    config.Bucket = "bench";
    config.StorageType = js_MemoryStorage;
    kvStore* bucket = nullptr;
    if (js_KeyValue(&bucket, context, "bench") != NATS_OK)
        bench::require(js_CreateKeyValue(&bucket, context, &config), "bucket");
    for (long i = 0; i < 1'000; ++i)
        bench::require(kvStore_Put(nullptr, bucket, key(i).c_str(), value.data(), length), "put");

    const bool put = arguments.lane == "put";
    const auto each = arguments.count / arguments.outstanding;
    std::vector<std::chrono::nanoseconds> latencies(static_cast<std::size_t>(each * arguments.outstanding));
    const auto work = [&](long thread) {
        for (long i = 0; i < each; ++i) {
            const auto name = key(i * 7 + thread * 131);
            const auto begin = Clock::now();
            if (put) {
                bench::require(kvStore_Put(nullptr, bucket, name.c_str(), value.data(), length), "put");
            } else {
                kvEntry* entry = nullptr;
                bench::require(kvStore_Get(&entry, bucket, name.c_str()), "get");
                kvEntry_Destroy(entry);
            }
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
    kvStore_Destroy(bucket);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
}
