// SPDX-License-Identifier: Apache-2.0
// Publishes `count` messages into a stream in atomic batches of `batch`.
#include "jetstream.hpp"

namespace {

void publish_batch(jsCtx* context, const std::string& body, int size) {
    jsAtomicBatchCtx* batch = nullptr;
    jsPubAck* ack = nullptr;
    for (int i = 0; i < size; ++i) {
        natsMsg* message = nullptr;
        bench::require(natsMsg_Create(&message, "bench.js.x", nullptr, body.data(), static_cast<int>(body.size())),
                       "message");
        bench::require(i == 0          ? js_BatchPublishStart(&batch, &ack, context, message, nullptr, nullptr)
                       : i == size - 1 ? js_BatchPublishCommit(&ack, batch, message, nullptr, nullptr)
                                       : js_BatchPublishAdd(&ack, batch, message, nullptr, nullptr),
                       "batch");
        jsPubAck_Destroy(ack);
        ack = nullptr;
        natsMsg_Destroy(message);
    }
    jsAtomicBatchCtx_Destroy(batch);
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const auto body = bench::body_of(arguments);
    auto* const connection = bench::connect(arguments);
    auto* const context = bench::jetstream(connection, 4'096);
    bench::renew_stream(context);
    long sent = 0;
    bench::say_ready();
    bench::Measurement measurement;
    for (; sent < arguments.count; sent += arguments.batch) publish_batch(context, body, arguments.batch);
    measurement.report(sent);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
}
