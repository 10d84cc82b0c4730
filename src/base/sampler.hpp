// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <freshet/clock.hpp>

namespace freshet::detail {

/// Chooses the events of one thread that are measured, since to read the clock twice for each would cost more than a
/// message may. Every event is measured while fewer than 50,000 come in a second; of more, one of several, which then
/// stands for all since the one before. Not thread-safe.
class Sampler {
public:
    /// Returns true if the event that happens now is to be measured; take() must follow.
    bool due() noexcept { return --left_ == 0; }

    /// Plans the next measurement. Returns how many events the present one, at `now`, stands for.
    std::uint32_t take(TimePoint now) noexcept {
        const auto events = interval_;
        const auto pause = now - last_;
        last_ = now;
        // A clock that stands still, as in tests, says nothing about the rate.
        const auto wanted = pause.count() > 0 ? events * least_pause / pause : 1;
        interval_ = left_ = with_jitter(static_cast<std::uint32_t>(std::clamp<std::int64_t>(wanted, 1, most)));
        return events;
    }

private:
    static constexpr std::chrono::nanoseconds least_pause{20'000};
    static constexpr std::int64_t most = 32;

    /// Returns a number around `events`, so that events which come in a pattern are not always missed or always met.
    std::uint32_t with_jitter(std::uint32_t events) noexcept {
        random_ = random_ * 1'664'525 + 1'013'904'223;
        return events - events / 2 + (random_ >> 16) % (events / 2 * 2 + 1);
    }

    std::uint32_t left_ = 1;
    std::uint32_t interval_ = 1;
    std::uint32_t random_ = 1;
    TimePoint last_ = {};
};

}  // namespace freshet::detail
