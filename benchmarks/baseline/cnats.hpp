// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <nats/nats.h>

#include "../support/bench.hpp"

// Plain cnats, written as somebody would who knows it.
namespace bench {

inline void require(natsStatus status, const char* what) {
    if (status == NATS_OK) return;
    std::fprintf(stderr, "%s: %s\n", what, nats_GetLastError(nullptr));
    std::exit(1);
}

/// A connection with the options that measure best: a large buffer, and no limit on what waits.
inline natsConnection* connect(const Arguments& arguments) {
    natsOptions* options = nullptr;
    natsConnection* connection = nullptr;
    require(natsOptions_Create(&options), "options");
    require(natsOptions_SetURL(options, arguments.url.c_str()), "url");
    require(natsOptions_SetIOBufSize(options, static_cast<int>(arguments.buffer)), "buffer");
    require(natsConnection_Connect(&connection, options), "connect");
    natsOptions_Destroy(options);
    return connection;
}

}  // namespace bench
