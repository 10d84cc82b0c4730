// SPDX-License-Identifier: Apache-2.0
// Handles `count` messages that a stream holds and publishes a result of each into another stream, with 64 in flight.
// confirm=0 publishes the results without confirmation.
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>

#include "jetstream.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    const bool confirm = arguments.confirm != 0;
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    const auto jetstream = broker.jetstream();
    bench::renew_stream(broker);
    const freshet::js::Stream results{
        .name = "BENCH_RESULTS", .subjects = {"bench.results.>"}, .storage = freshet::js::Storage::memory};
    std::ignore = jetstream.stream(results.name).try_remove();
    jetstream.declare(results);
    auto window = jetstream.async_publisher();
    for (long i = 0; i < arguments.count; ++i) bench::require(window.try_publish("bench.js.x", body));
    window.flush(60s);

    bench::say_ready();
    bench::Measurement measurement;
    broker.subscriber<"bench.js.x">(freshet::js::Pull{.stream = bench::stream.name, .durable = "bench", .prefetch = 64})
        .publish_to<"bench.results.x">({.confirm = confirm})
        .handle([&](std::string_view taken) { return std::string{taken}; });
    const auto consumer = jetstream.consumer(bench::stream.name, "bench");
    while (true) {
        const auto info = consumer.info();
        if (info.pending + info.ack_pending == 0 && info.delivered_stream_sequence > 0) break;
        std::this_thread::sleep_for(1ms);
    }
    measurement.report(arguments.count);
    const auto stored = jetstream.stream(results.name).info().state.messages;
    if (stored != static_cast<std::uint64_t>(arguments.count)) return 1;
}
