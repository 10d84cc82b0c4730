// SPDX-License-Identifier: Apache-2.0
// Asks `count` times, `outstanding` at a time: a thread each that calls natsConnection_Request.
#include <thread>

#include "cnats.hpp"

namespace {

using Clock = std::chrono::steady_clock;

void ask(natsConnection* connection, const std::string& body, std::chrono::nanoseconds* latencies, long count) {
    for (long i = 0; i < count; ++i) {
        natsMsg* answer = nullptr;
        const auto begin = Clock::now();
        bench::require(natsConnection_Request(&answer, connection, "bench.rpc", body.data(),
                                              static_cast<int>(body.size()), 30'000),
                       "request");
        latencies[i] = Clock::now() - begin;
        natsMsg_Destroy(answer);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    auto* const connection = bench::connect(arguments);
    std::vector<std::chrono::nanoseconds> latencies(static_cast<std::size_t>(arguments.count) + 100);
    ask(connection, body, latencies.data(), 100);  // warm
    bench::say_ready();
    bench::Measurement measurement;
    const auto each = arguments.count / arguments.outstanding;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < arguments.outstanding; ++i)
            threads.emplace_back([&, i] { ask(connection, body, latencies.data() + i * each, each); });
    }
    latencies.resize(static_cast<std::size_t>(each * arguments.outstanding));
    measurement.report(each * arguments.outstanding, std::move(latencies));
    natsConnection_Destroy(connection);
}
