// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include <freshet/clock.hpp>

#include "jetstream/consume/delivery_policy.hpp"
#include "jetstream/consume/settled.hpp"

namespace freshet::detail {

struct PullLimits {
    std::size_t min_window = 2;    ///< messages in hand and asked for, together; at least 1
    std::size_t max_window = 512;  ///< how far the window may grow while messages are handled faster than they come
    std::size_t max_bytes = std::size_t{16} << 20;  ///< of the messages in hand and asked for; a larger one comes alone
    std::chrono::nanoseconds expires{std::chrono::seconds{30}};   ///< how long a request waits at the server
    std::chrono::nanoseconds heartbeat{std::chrono::seconds{5}};  ///< at most half of `expires`
};

/// One `CONSUMER.MSG.NEXT` request.
struct PullRequest {
    std::uint64_t number = 0;  ///< the last token of its reply subject: by it a status says which request it ends
    std::size_t batch = 0;
    std::size_t max_bytes = 0;  ///< 0: a single message of any size
    std::chrono::nanoseconds expires = {};
    std::chrono::nanoseconds heartbeat = {};
};

/// A message without payload that the server sent about a request.
struct PullStatus {
    std::uint64_t request = 0;  ///< PullRequest::number
    int code = 0;
    std::string_view text = {};
    std::optional<std::size_t> pending_messages = {};  ///< header `Nats-Pending-Messages`: what the request had left
    std::optional<std::size_t> pending_bytes = {};     ///< header `Nats-Pending-Bytes`, likewise
};

/// What to ask the server for, and when: keeps a window of messages and bytes in hand or on their way, asks for more
/// before it runs dry, and never for more than the window (ADR-13, ADR-37). Whatever the server says, requests that
/// bring nothing are paced, and what a status takes away comes back after a while. Knows no connection. Not
/// thread-safe.
class PullPipeline {
public:
    PullPipeline(const PullLimits& limits, TimePoint now);

    /// The request to send now, if there is one.
    std::optional<PullRequest> next(TimePoint now);
    /// A message came, of so many bytes; `more`: the stream had others behind it.
    void received(std::size_t bytes, bool more, TimePoint now);
    void handled(const Settled& settled, TimePoint now);
    DeliveryVerdict status(const PullStatus& status, TimePoint now);

    /// The server is gone: what was asked for will not come.
    void disconnected() noexcept { connected_ = false; }
    /// Nothing is on its way any more: after a reconnect, or when the consumer was made anew. `consumer`: what it
    /// allows a request.
    void reset(const RequestLimits& consumer, TimePoint now);
    /// Asks for nothing more.
    void stop() noexcept { stopped_ = true; }

    /// No sign of life for two heartbeats while something was asked for.
    bool overdue(TimePoint now) const noexcept { return connected_ && !stopped_ && asked_ > 0 && now >= overdue_at(); }
    /// When next() or overdue() may change by themselves; nothing: not without an event.
    std::optional<TimePoint> deadline() const noexcept;

    std::size_t window() const noexcept { return window_; }
    std::size_t in_hand() const noexcept { return in_hand_; }
    std::size_t asked() const noexcept { return asked_; }

private:
    struct Open {
        std::uint64_t number;
        std::size_t batch;
        std::size_t bytes;
    };

    TimePoint overdue_at() const noexcept { return alive_ + 2 * request_heartbeat(); }
    std::chrono::nanoseconds request_heartbeat() const noexcept;
    bool wants_more() const noexcept;
    std::size_t byte_budget() const noexcept;
    void end_request(const PullStatus& status, TimePoint now);
    void forget_requests() noexcept;
    void restore_limits() noexcept;
    DeliveryVerdict conflict(const PullStatus& status, std::size_t bytes, TimePoint now);
    DeliveryVerdict limit(std::string_view text, TimePoint now);
    void pause(TimePoint now) noexcept;
    void adapt(std::chrono::nanoseconds held);

    PullLimits limits_;
    RequestLimits consumer_ = {};  // what it says that it allows
    RequestLimits request_ = {};   // what a request may ask for
    std::size_t window_;
    std::size_t in_hand_ = 0;
    std::size_t bytes_in_hand_ = 0;
    std::size_t asked_ = 0;
    std::size_t asked_bytes_ = 0;  // of the open requests
    std::size_t too_large_ = 0;    // the next message is over so many bytes; 0: not known
    std::deque<Open> open_ = {};
    std::uint64_t last_number_ = 0;
    TimePoint alive_;            // the last sign of life, or when the first request after none was sent
    TimePoint not_before_;       // no request earlier
    TimePoint sent_;             // the last request
    TimePoint restore_at_ = {};  // when limits that statuses have lowered are tried again
    std::size_t in_vain_ = 0;    // requests that ended since a message came
    std::size_t handled_since_change_ = 0;
    std::size_t bytes_since_change_ = 0;
    bool more_ = false;  // the server had more when the last message came
    bool lowered_ = false;
    bool connected_ = true;
    bool stopped_ = false;
};

}  // namespace freshet::detail
