// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/wait.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// How long what can be repeated is repeated: a cluster elects a leader within some 10 s.
inline constexpr std::chrono::milliseconds election_time{20'000};

/// Paces an operation that is repeated while a cluster may be electing a leader. One thread at a time.
class Election {
public:
    explicit Election(Link& link) noexcept : link_{link} {}

    /// Whether nothing has failed before; to be asked once for each failure that a repeat may mend at once.
    bool first() noexcept { return !std::exchange(failed_, true); }
    bool begun() const noexcept { return deadline_ != TimePoint{}; }
    /// Blocks for a moment; false, at once, when an election's time is over.
    bool wait() {
        auto& clock = link_.clock();
        const auto now = clock.now();
        if (!begun()) deadline_ = now + election_time;
        if (now >= deadline_ || !link_.is_open()) return false;
        pause(clock, std::min(deadline_ - now, TimePoint::duration{pause_}));
        pause_ = std::min(pause_ * 2, longest_pause);
        return true;
    }

private:
    static constexpr std::chrono::milliseconds longest_pause{500};

    Link& link_;
    TimePoint deadline_ = {};
    std::chrono::milliseconds pause_{50};
    bool failed_ = false;
};

}  // namespace freshet::detail
