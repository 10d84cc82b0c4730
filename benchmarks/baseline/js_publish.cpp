// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages into a stream, `outstanding` acknowledgements awaited at a time.
#include "jetstream.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    auto* const connection = bench::connect(arguments);
    auto* const context = bench::jetstream(connection, arguments.outstanding);
    bench::renew_stream(context);
    bench::say_ready();
    bench::Measurement measurement;
    bench::publish_all(context, body, arguments.count);
    measurement.report(arguments.count);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
}
