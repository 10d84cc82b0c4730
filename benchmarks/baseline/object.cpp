// SPDX-License-Identifier: Apache-2.0
// Puts or gets (`lane=put` or `get`) an object of `size` bytes until `count` MiB have moved.
#include "jetstream.hpp"

int main(int argc, char** argv) {
    const auto arguments = bench::parse(argc, argv);
    const std::string body(arguments.size, 'x');
    const auto length = static_cast<int>(body.size());
    auto* const connection = bench::connect(arguments);
    auto* const context = bench::jetstream(connection, 4'096);
    objStoreConfig config;
    objStoreConfig_Init(&config);
    config.Bucket = "bench";
    config.Storage = js_MemoryStorage;
    objStore* store = nullptr;
    if (js_ObjectStore(&store, context, "bench") != NATS_OK)
        bench::require(js_CreateObjectStore(&store, context, &config), "store");
    bench::require(objStore_PutBytes(nullptr, store, "object", body.data(), length), "put");
    const bool put = arguments.lane == "put";
    const auto size = static_cast<long>(arguments.size >> 20);
    long moved = 0;
    bench::say_ready();
    bench::Measurement measurement;
    for (; moved < arguments.count; moved += size) {
        if (put) {
            bench::require(objStore_PutBytes(nullptr, store, "object", body.data(), length), "put");
        } else {
            void* data = nullptr;
            int got = 0;
            bench::require(objStore_GetBytes(&data, &got, store, "object", nullptr), "get");
            std::free(data);
            if (got != length) return 1;
        }
    }
    measurement.report(moved);
    objStore_Destroy(store);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
}
