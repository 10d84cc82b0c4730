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

/// Sends the settlements of a consumer's messages, and keeps them from meaning other messages. A server knows a message
/// by the consumer's name and a number, and both are used again when the consumer or its stream is made anew. So each
/// message belongs to the incarnation that delivered it: while nobody knows whether that still exists, settlements
/// wait; once it is gone, they are dropped. Thread-safe; blocks only where it says so.
class Acknowledger {
public:
    using Incarnation = std::uint64_t;

    /// `who`: for log lines, `consumer "billing" of stream "ORDERS"`.
    Acknowledger(Link& link, std::string who);

    /// The incarnation of what is delivered now.
    Incarnation current() const noexcept { return state_.load(std::memory_order_acquire) >> 1U; }
    bool is_current(Incarnation incarnation) const noexcept { return current() == incarnation; }

    /// Whether settlements wait.
    bool in_doubt() const noexcept { return (state_.load(std::memory_order_acquire) & 1U) != 0; }

    /// Sends `word` to the subject that acknowledges a message of `incarnation`; or keeps it, or drops it.
    void send(Incarnation incarnation, std::string_view subject, std::string_view word, Flush flush) noexcept;
    /// Blocks until it is certain whether `incarnation` exists, until `deadline` at most: an error unless it does.
    Expected<void> wait_until_certain(Incarnation incarnation, TimePoint deadline);

    /// The connection or the consumer was lost: it may be another one already.
    void doubt() noexcept;
    /// The consumer is there: the one there was, and what waits is sent; or, `Anew::yes`, one of the same name, and it
    /// is dropped.
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
