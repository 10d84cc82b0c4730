// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>

namespace freshet::js {

/// What is done about messages whose handling fails. Attempts are counted by the server: they survive a restart of the
/// program and include those that ended in a crash.
struct Retry {
    /// Deliveries in all, after which the message is given up; 0: no limit. A message delivered more often than that,
    /// because nobody lived to settle it, is given up before the handler runs again.
    std::uint64_t max_attempts = 0;
    /// How long to wait before the second attempt, the third...; the last is used again for all further ones. Empty: not
    /// at all. A Nack with a delay of its own has that instead.
    std::vector<std::chrono::milliseconds> backoff = {std::chrono::seconds{1}, std::chrono::seconds{5},
                                                      std::chrono::seconds{30}};
    /// Subject that messages given up are published to: with their payload, their headers, and `Dead-Letter-*` headers
    /// that say why. Empty: they are dropped, and an error is logged. The message is terminated only after somebody has
    /// confirmed the dead letter: a stream that stores the subject, else a subscriber that answers. Until then it stays.
    std::string dead_letter = {};
};

}  // namespace freshet::js
