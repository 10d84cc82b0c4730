// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "nats/attempts.hpp"
#include "nats/connect_failure.hpp"

namespace freshet::detail::nats {

/// Remembers the best reason that each server gave over several rounds of attempts. A server that refuses a connection
/// says why and closes it, and the client does not always get to read why: then the reason of an earlier round counts.
class BestReasons {
public:
    /// Returns the attempts, where a bare end has the reason that the same server gave before.
    std::vector<FailedAttempt> with(std::vector<FailedAttempt> attempts) {
        for (auto& attempt : attempts) {
            const auto known = std::ranges::find(known_, attempt.server, &FailedAttempt::server);
            if (known == known_.end()) known_.push_back(attempt);
            else if (!is_bare(attempt.failure)) *known = attempt;
            else attempt = *known;
        }
        return attempts;
    }
    /// Returns whether a server's reason is still unknown.
    bool any_bare() const {
        return std::ranges::any_of(known_, [](const auto& known) { return is_bare(known.failure); });
    }

private:
    std::vector<FailedAttempt> known_ = {};
};

}  // namespace freshet::detail::nats
