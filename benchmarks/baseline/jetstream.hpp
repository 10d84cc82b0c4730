// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cnats.hpp"

namespace bench {

/// JetStream with `window` acknowledgements awaited at a time.
inline jsCtx* jetstream(natsConnection* connection, long window) {
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = window;
    options.PublishAsync.StallWait = 60'000;
    jsCtx* context = nullptr;
    require(natsConnection_JetStream(&context, connection, &options), "jetstream");
    return context;
}

/// The stream, empty and new.
inline void renew_stream(jsCtx* context) {
    js_DeleteStream(context, "BENCH", nullptr, nullptr);
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char* subjects[] = {"bench.js.>"};
    config.Name = "BENCH";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_MemoryStorage;
#ifdef BENCH_HAS_BATCHES
    config.AllowAtomic = true;
#endif
    require(js_AddStream(nullptr, context, &config, nullptr, nullptr), "stream");
}

inline void publish_all(jsCtx* context, const std::string& body, long count) {
    for (long i = 0; i < count; ++i) {
        require(js_PublishAsync(context, "bench.js.x", body.data(), static_cast<int>(body.size()), nullptr), "publish");
    }
    require(js_PublishAsyncComplete(context, nullptr), "complete");
}

}  // namespace bench
