// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include <freshet/batch.hpp>
#include <freshet/clock.hpp>
#include <freshet/context.hpp>
#include <freshet/detail/handler.hpp>

#include "base/wait.hpp"

namespace freshet::detail {

/// Whether a message waits for its turn: a JetStream message that came back instead would use up its attempts, and with it all
/// that came back at the same time.
inline bool can_wait(Context& context) {
    return context.get<Items>() != nullptr || context.message().metadata().has_value();
}

/// Blocks, time after time as long as `refused(now)` says, until that is nothing. False: the broker stops.
template <class Refused>
bool hold(Context& context, std::chrono::nanoseconds wait, Refused refused) {
    std::mutex mutex;
    std::condition_variable changed;
    const auto stop = ContextAccess::stop_token(context);
    const std::stop_callback wake{stop, [&] {
                                      const std::lock_guard lock{mutex};
                                      changed.notify_all();
                                  }};
    auto& clock = context.clock();
    while (wait.count() > 0) {
        std::unique_lock lock{mutex};
        if (wait_until(clock, lock, changed, clock.now() + wait, [&] { return stop.stop_requested(); })) return false;
        wait = refused(clock.now());
    }
    return true;
}

}  // namespace freshet::detail
