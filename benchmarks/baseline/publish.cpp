// SPDX-License-Identifier: Apache-2.0
// Publishes `count` bodies and waits until the server has them.
#include "cnats.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    auto* const connection = bench::connect(arguments.url);
    bench::say_ready();
    bench::Measurement measurement;
    for (long i = 0; i < arguments.count; ++i) {
        bench::require(natsConnection_Publish(connection, "bench.x", body.data(), static_cast<int>(body.size())),
                       "publish");
    }
    bench::require(natsConnection_FlushTimeout(connection, 60'000), "flush");
    measurement.report(arguments.count);
    natsConnection_Destroy(connection);
}
