// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>

#include <freshet/detail/chrono.hpp>

namespace freshet::detail {

/// Decides between the start of a source and a stop that comes from another thread while start() still works. Each
/// function is one atomic step, so that a request is carried out exactly once: by the thread that asks if the start has
/// something to stop already, else by start() as soon as it has. Of several stops that start() carries out the
/// shortest timeout counts. Thread-safe; never blocks.
class StartGuard {
public:
    using Milliseconds = std::chrono::milliseconds;

    /// The requests that came before begun().
    struct Asked {
        bool quiesce = false;                   ///< also true with a stop
        std::optional<Milliseconds> stop = {};  ///< with this timeout
    };

    /// Publishes what start() made: the thread that sees running() sees it, too. Returns what was asked for before,
    /// which the caller must do now.
    Asked begun() noexcept {
        const auto before = state_.exchange(is_running, std::memory_order_acq_rel);
        if (before >= 0) return {.quiesce = true, .stop = Milliseconds{before}};
        return {.quiesce = before == quiesce_asked};
    }

    /// Returns true if the caller must stop what start() made; false: begun() tells, if it is ever called.
    bool stop(Milliseconds timeout) noexcept { return ask(std::max<State>(timeout.count(), 0)); }
    /// Returns true if the caller must quiesce what start() made; false: begun() tells.
    bool quiesce() noexcept { return ask(quiesce_asked); }

    /// Returns true if there is something that can be stopped.
    bool running() const noexcept { return state_.load(std::memory_order_acquire) == is_running; }

private:
    using State = Milliseconds::rep;
    static constexpr State is_running = -3;
    static constexpr State is_idle = -2;
    static constexpr State quiesce_asked = -1;  // from 0 on: a stop was asked for, with this timeout

    bool ask(State request) noexcept {
        auto before = state_.load(std::memory_order_acquire);
        do {
            if (before == is_running) return true;
            const bool stop_asked = before > quiesce_asked;  // which includes to quiesce
            if (stop_asked && (request == quiesce_asked || before <= request)) return false;
        } while (!state_.compare_exchange_weak(before, request, std::memory_order_acq_rel, std::memory_order_acquire));
        return false;
    }

    std::atomic<State> state_ = is_idle;
};

}  // namespace freshet::detail
