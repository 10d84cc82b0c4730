// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>

namespace freshet::js {

/// What is done about messages whose handling fails. A program counts the attempts of its own handlers. The server
/// counts deliveries, also of messages that no handler saw before the program stopped; those count only when they are
/// far more.
struct Retry {
    /// Attempts of a program's handlers, after which the message is given up; 0: no limit. A message that was delivered
    /// more than four times as often, and at least ten times more, perhaps since it ends the program, is given up
    /// before the handler runs again.
    std::uint64_t max_attempts = 0;
    /// How long to wait before the second attempt, the third...; the last is used again for all further ones. Empty:
    /// not at all. A Nack with a delay of its own has that instead.
    std::vector<std::chrono::milliseconds> backoff = {std::chrono::seconds{1}, std::chrono::seconds{5},
                                                      std::chrono::seconds{30}};
    /// Subject that messages given up are published to: with their payload, their headers, and `Dead-Letter-*` headers
    /// that say why. Empty: they are dropped, and an error is logged. The message is terminated only after somebody has
    /// confirmed the dead letter: a stream that stores the subject, else a subscriber that answers. Until then it
    /// stays.
    std::string dead_letter = {};
};

}  // namespace freshet::js
