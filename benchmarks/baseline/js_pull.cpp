// SPDX-License-Identifier: Apache-2.0
// Takes and acknowledges `count` messages that a stream holds: fetches of `batch`; a thousand is the fastest way that
// cnats has.
#include "jetstream.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    auto* const connection = bench::connect(arguments);
    auto* const context = bench::jetstream(connection, 4'096);
    bench::renew_stream(context);
    bench::publish_all(context, body, arguments.count);

    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = "BENCH";
    options.Config.AckPolicy = js_AckExplicit;
    options.Config.MaxAckPending = -1;
    bench::say_ready();
    bench::Measurement measurement;
    natsSubscription* subscription = nullptr;
    bench::require(js_PullSubscribe(&subscription, context, "bench.js.x", "bench", nullptr, &options, nullptr), "pull");
    for (long taken = 0; taken < arguments.count;) {
        natsMsgList list;
        bench::require(natsSubscription_Fetch(&list, subscription, arguments.batch, 5'000, nullptr), "fetch");
        for (int i = 0; i < list.Count; ++i) bench::require(natsMsg_Ack(list.Msgs[i], nullptr), "ack");
        taken += list.Count;
        natsMsgList_Destroy(&list);
    }
    bench::require(natsConnection_FlushTimeout(connection, 60'000), "flush");
    measurement.report(arguments.count);
    natsSubscription_Destroy(subscription);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
}
