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

/// Returns true if the message should wait for its turn. A JetStream message (also in a batch) should: sent back, it
/// would use up its attempts, and so would all others that came back at the same time.
inline bool can_wait(Context& context) {
    return context.get<Items>() != nullptr || context.message().metadata().has_value();
}

/// Blocks for `wait`, then for as long as `refused(now)` returns, until that is 0. Returns false if the broker stops.
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
