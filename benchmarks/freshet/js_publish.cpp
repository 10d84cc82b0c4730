// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages into a stream, `outstanding` acknowledgements awaited at a time.
#include "jetstream.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    bench::measure(broker, arguments);
    broker.start();
    bench::renew_stream(broker);
    auto window = broker.jetstream().async_publisher({.max_pending = static_cast<std::size_t>(arguments.outstanding)});
    bench::say_ready();
    bench::Measurement measurement;
    for (long i = 0; i < arguments.count; ++i) bench::require(window.try_publish("bench.js.x", body));
    window.flush(60s);
    measurement.report(arguments.count);
}
