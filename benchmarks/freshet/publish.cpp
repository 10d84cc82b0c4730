// SPDX-License-Identifier: Apache-2.0
// Publishes `count` bodies and waits until the server has them.
#include "broker.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    bench::say_ready();
    bench::Measurement measurement;
    for (long i = 0; i < arguments.count; ++i) bench::require(broker.try_publish("bench.x", body));
    broker.ping(60s);
    measurement.report(arguments.count);
}
