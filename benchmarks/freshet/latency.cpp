// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages at a rate and handles them itself. A latency is the time from when a message was due to
// its handler.
#include <future>
#include <vector>

#include "broker.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    std::vector<std::chrono::nanoseconds> latencies;
    latencies.reserve(static_cast<std::size_t>(arguments.count));
    std::promise<void> finished;
    const freshet::SubscriberOptions options{.max_pending_messages = static_cast<std::size_t>(arguments.count),
                                             .max_pending_bytes = std::size_t{1} << 30};
    broker.subscriber<"bench.x">(options).handle([&](std::string_view received) {
        latencies.push_back(bench::since_due(received));
        if (latencies.size() == static_cast<std::size_t>(arguments.count)) finished.set_value();
    });
    broker.start();
    bench::say_ready();
    bench::Measurement measurement;
    bench::Pacer pacer{arguments.rate};
    for (long i = 0; i < arguments.count; ++i) {
        bench::write_due(body, pacer.next());
        bench::require(broker.try_publish("bench.x", body));
    }
    finished.get_future().wait();
    measurement.report(arguments.count, std::move(latencies));
}
