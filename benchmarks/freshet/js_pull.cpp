// SPDX-License-Identifier: Apache-2.0
// Handles and acknowledges `count` messages that a stream holds.
#include <atomic>
#include <future>

#include "jetstream.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    bench::measure(broker, arguments);
    broker.start();
    bench::renew_stream(broker);
    auto window = broker.jetstream().async_publisher();
    for (long i = 0; i < arguments.count; ++i) bench::require(window.try_publish("bench.js.x", body));
    window.flush(60s);

    std::atomic<long> handled = 0;
    std::promise<void> finished;
    bench::say_ready();
    bench::Measurement measurement;
    broker
        .subscriber<"bench.js.x">(freshet::js::Pull{
            .stream = bench::stream.name, .durable = "bench", .consumer = {.max_ack_pending = -1}})
        .handle([&](std::string_view) {
            if (handled.fetch_add(1) + 1 == arguments.count) finished.set_value();
        });
    finished.get_future().wait();
    broker.ping(60s);
    measurement.report(arguments.count);
}
