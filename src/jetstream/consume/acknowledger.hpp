// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/error.hpp>
#include <freshet/options.hpp>

namespace freshet::detail {

class Link;

/// Sends the settlements of a consumer's messages, and keeps them from settling other messages. A server knows a
/// message by the consumer's name and a number, and both are used again when the consumer or its stream is made anew.
/// So each message belongs to the incarnation of the consumer that delivered it. Settlements wait while it is unknown
/// whether that incarnation still exists, and are dropped once it is gone. Thread-safe; only wait_until_certain blocks.
class Acknowledger {
public:
    using Incarnation = std::uint64_t;

    /// `who`: for log lines, `consumer "billing" of stream "ORDERS"`.
    Acknowledger(Link& link, std::string who);

    /// Returns the incarnation that delivers now.
    Incarnation current() const noexcept { return state_.load(std::memory_order_acquire) >> 1U; }
    bool is_current(Incarnation incarnation) const noexcept { return current() == incarnation; }

    /// Returns whether settlements wait.
    bool in_doubt() const noexcept { return (state_.load(std::memory_order_acquire) & 1U) != 0; }

    /// Sends `word` to `subject`, which acknowledges a message of `incarnation`. Keeps it while the incarnation is in
    /// doubt, and drops it once that is gone.
    void send(Incarnation incarnation, std::string_view subject, std::string_view word, Flush flush) noexcept;
    /// Blocks until it is certain whether `incarnation` exists, or until `deadline`. Returns an error unless it exists.
    Expected<void> wait_until_certain(Incarnation incarnation, TimePoint deadline);

    /// Makes settlements wait: the connection or the consumer was lost, so the consumer may be another one already.
    void doubt() noexcept;
    /// Ends the wait, since the consumer was found. Sends the settlements that wait; with Anew::yes, when it is another
    /// consumer of that name, drops them.
    enum class Anew : std::uint8_t { no, yes };
    void found(Anew anew) noexcept;

private:
    struct Kept {
        std::string subject;
        std::string word;
    };

    void publish(std::string_view subject, std::string_view word, Flush flush) noexcept;

    Link& link_;
    const std::string who_;
    std::atomic<std::uint64_t> state_ = 0;  // twice the incarnation, and 1 while in doubt; changed under the mutex
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::vector<Kept> kept_ = {};
};

}  // namespace freshet::detail
