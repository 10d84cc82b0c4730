// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages into a stream in atomic batches of `batch`.
#include "jetstream.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    freshet::Broker broker{bench::options(arguments)};
    broker.start();
    bench::renew_stream(broker);
    const auto js = broker.jetstream();
    long sent = 0;
    bench::say_ready();
    bench::Measurement measurement;
    for (; sent < arguments.count; sent += arguments.batch) {
        auto batch = js.atomic_batch();
        for (int i = 0; i < arguments.batch; ++i) bench::require(batch.try_add("bench.js.x", body));
        batch.commit();
    }
    measurement.report(sent);
}
