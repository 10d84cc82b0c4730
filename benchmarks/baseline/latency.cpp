// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages at a rate over one connection and handles them over another: on one, cnats can deadlock. A
// latency is the time from when a message was due to its handler.
#include <future>
#include <vector>

#include "cnats.hpp"

namespace {

struct Received {
    std::vector<std::chrono::nanoseconds> latencies = {};
    std::size_t wanted = 0;
    std::promise<void> finished = {};
};

void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    auto& received = *static_cast<Received*>(closure);
    received.latencies.push_back(bench::since_due({natsMsg_GetData(message),
                                                   static_cast<std::size_t>(natsMsg_GetDataLength(message))}));
    natsMsg_Destroy(message);
    if (received.latencies.size() == received.wanted) received.finished.set_value();
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    auto body = bench::body_of(arguments);
    auto* const out = bench::connect(arguments);
    auto* const in = bench::connect(arguments);
    Received received{.wanted = static_cast<std::size_t>(arguments.count)};
    received.latencies.reserve(received.wanted);
    natsSubscription* subscription = nullptr;
    bench::require(natsConnection_Subscribe(&subscription, in, "bench.x", on_message, &received), "subscribe");
    bench::require(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    bench::require(natsConnection_FlushTimeout(in, 60'000), "flush");
    bench::say_ready();
    bench::Measurement measurement;
    bench::Pacer pacer{arguments.rate};
    for (long i = 0; i < arguments.count; ++i) {
        bench::write_due(body, pacer.next());
        bench::require(natsConnection_Publish(out, "bench.x", body.data(), static_cast<int>(body.size())), "publish");
    }
    received.finished.get_future().wait();
    measurement.report(arguments.count, std::move(received.latencies));
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(in);
    natsConnection_Destroy(out);
}
