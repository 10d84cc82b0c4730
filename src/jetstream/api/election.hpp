// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <freshet/error.hpp>

#include "base/wait.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// How long freshet repeats what it can repeat. A cluster elects a leader within some 10 s.
inline constexpr std::chrono::milliseconds election_time{20'000};

/// Returns whether nobody has answered, so that it is not known whether the request was carried out.
inline bool unanswered(const Error& error) noexcept { return error == Errc::timeout || error == Errc::disconnected; }

/// Paces what is repeated while a cluster may be electing a leader. One thread at a time.
class ElectionPace {
public:
    bool begun() const noexcept { return deadline_ != TimePoint{}; }
    /// Returns how long to wait before the next repeat; nothing when an election's time is over.
    std::optional<TimePoint::duration> next(TimePoint now) noexcept {
        if (!begun()) deadline_ = now + election_time;
        if (now >= deadline_) return std::nullopt;
        const auto pause = std::min(deadline_ - now, TimePoint::duration{pause_});
        pause_ = std::min(pause_ * 2, longest_pause);
        return pause;
    }

private:
    static constexpr std::chrono::milliseconds longest_pause{500};

    TimePoint deadline_ = {};
    std::chrono::milliseconds pause_{50};
};

/// Repeats an operation that blocks, at that pace. One thread at a time.
class Election {
public:
    explicit Election(Link& link) noexcept : link_{link} {}

    /// Returns whether nothing has failed before. Call it once for each failure that a repeat may mend at once.
    bool first() noexcept { return !std::exchange(failed_, true); }
    bool begun() const noexcept { return pace_.begun(); }
    /// Blocks for a moment; returns false, at once, when an election's time is over.
    bool wait() {
        auto& clock = link_.clock();
        const auto pause = pace_.next(clock.now());
        if (!pause || !link_.is_open()) return false;
        detail::pause(clock, *pause);
        return true;
    }

private:
    Link& link_;
    ElectionPace pace_ = {};
    bool failed_ = false;
};

}  // namespace freshet::detail
