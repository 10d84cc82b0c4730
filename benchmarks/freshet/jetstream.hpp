// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/jetstream.hpp>

#include "broker.hpp"

namespace bench {

inline const freshet::js::Stream stream{
    .name = "BENCH", .subjects = {"bench.js.>"}, .storage = freshet::js::Storage::memory, .allow_atomic = true};

/// The stream, empty and new.
inline void renew_stream(freshet::Broker& broker) {
    const auto js = broker.jetstream();
    std::ignore = js.stream(stream.name).try_remove();
    js.declare(stream);
}

}  // namespace bench
