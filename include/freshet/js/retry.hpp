// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/js/stream_ref.hpp>

namespace freshet::js {

/// Says what freshet does with messages whose handling fails. A program counts the attempts of its own handlers. The
/// server counts deliveries, also of messages that no handler saw before the program stopped; freshet uses that count
/// only when it is far higher.
struct Retry {
    /// Most attempts of a program's handlers at a message; 0: no limit. After the last one the message is given up. A
    /// message whose deliveries are more than four times as many, and more than ten above it, perhaps because it ends
    /// the program, is given up before the handler runs again.
    std::uint64_t max_attempts = 0;
    /// How long to wait before the second attempt, the third...; the last time holds for all further ones. Empty: no
    /// wait. A Nack with a delay of its own waits that long instead.
    std::vector<std::chrono::milliseconds> backoff = {std::chrono::seconds{1}, std::chrono::seconds{5},
                                                      std::chrono::seconds{30}};
    /// Subject for dead letters: copies of messages given up, with their payload, their headers, and `Dead-Letter-*`
    /// headers that say why. Empty: messages given up are dropped, and an error is logged. freshet terminates the
    /// message only after somebody has confirmed the dead letter: a stream that stores the subject, else a subscriber
    /// that answers. Until then it stays. start() warns if neither is there: see `dead_letter_stream`.
    std::string dead_letter = {};
    /// The stream that keeps the dead letters: a js::Stream to declare at the start, or the name of one that is there.
    /// start() fails if it does not store `dead_letter`. Empty: whoever confirms them.
    StreamRef dead_letter_stream = {};
};

}  // namespace freshet::js
