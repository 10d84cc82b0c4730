// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include <freshet/js/publish_options.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/api/election.hpp"

namespace freshet::detail {

/// How long and how often a publication is sent.
struct Repeats {
    std::chrono::milliseconds patience{};  ///< for each acknowledgement
    TimePoint until = {};                  ///< sent again until then; the clock's beginning: `retries` counts instead
    int retries = 0;

    Repeats() = default;
    Repeats(const JsApi& api, const js::PublishOptions& options) {
        const auto answer = api.options().timeout;
        if (options.id.empty() || options.retries) {
            patience = options.timeout.count() > 0 ? options.timeout : answer;
            retries = options.retries.value_or(2);
            return;
        }
        const auto total = options.timeout.count() > 0 ? options.timeout : std::max(election_time, 2 * answer);
        patience = std::min(answer, total);
        until = api.link().clock().now() + std::min(total, longest_timeout);
    }

    /// Whether to send once more after `wait`; counts it.
    bool again(TimePoint now, std::chrono::milliseconds wait) noexcept {
        if (until != TimePoint{}) return now + wait < until;
        return retries-- > 0;
    }
    /// For the acknowledgement of what is sent now.
    std::chrono::milliseconds patience_at(TimePoint now) const {
        if (until == TimePoint{}) return patience;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        return std::clamp(left, std::chrono::milliseconds{1}, patience);
    }
};

}  // namespace freshet::detail
