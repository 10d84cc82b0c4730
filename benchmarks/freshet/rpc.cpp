// SPDX-License-Identifier: Apache-2.0
// Asks `count` times, `outstanding` at a time: one after the other blocking, more with async.
#include <vector>

#include "chain.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Ask = freshet::Client<freshet::Message(std::string_view)>;

std::vector<std::chrono::nanoseconds> ask_in_turn(const Ask& ask, const std::string& body, long count) {
    std::vector<std::chrono::nanoseconds> latencies;
    latencies.reserve(static_cast<std::size_t>(count));
    for (long i = 0; i < count; ++i) {
        const auto begin = Clock::now();
        bench::require(ask.try_call(body));
        latencies.push_back(Clock::now() - begin);
    }
    return latencies;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    bench::measure(broker, arguments);
    broker.start();
    const auto ask = broker.client<freshet::Message(std::string_view)>("bench.rpc");
    ask_in_turn(ask, body, 100);  // warm
    bench::say_ready();
    bench::Measurement measurement;
    if (arguments.outstanding == 1) {
        measurement.report(arguments.count, ask_in_turn(ask, body, arguments.count));
    } else {
        bench::Chain chain{arguments.count, [&](long, auto done) { ask.async(body, std::move(done)); }};
        measurement.report(arguments.count, chain.run(arguments.outstanding));
    }
}
