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
    std::size_t max_bytes = std::size_t{16} << 20;  ///< in hand and asked for, together; a larger message comes alone
    std::chrono::nanoseconds expires{std::chrono::seconds{30}};   ///< how long a request waits at the server
    std::chrono::nanoseconds heartbeat{std::chrono::seconds{5}};  ///< at most half of `expires`
};

/// One `CONSUMER.MSG.NEXT` request.
struct PullRequest {
    std::uint64_t number = 0;  ///< the last token of its reply subject, by which a status names its request
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
    std::optional<std::size_t> pending_bytes = {};     ///< header `Nats-Pending-Bytes`: what the request had left
};

/// Decides what to ask the server for, and when. Keeps a window of messages and bytes in hand or on their way, asks for
/// more before the window runs dry, and never for more than the window (ADR-13, ADR-37). Messages that only await the
/// confirmation of what their handlers published do not count, up to one more window of them, so that handlers need not
/// wait for confirmations. Limits the rate of requests that bring nothing, whatever the server says, and after a while
/// restores limits that a status has lowered. Knows no connection. Not thread-safe.
class PullPipeline {
public:
    PullPipeline(const PullLimits& limits, TimePoint now);

    /// Returns the request to send now, if there is one.
    std::optional<PullRequest> next(TimePoint now);
    /// Notes a message of `bytes`; `more`: the stream had others behind it.
    void received(std::size_t bytes, bool more, TimePoint now);
    void handled(const Settled& settled, TimePoint now);
    DeliveryVerdict status(const PullStatus& status, TimePoint now);

    /// Notes that the server is gone, and that what was asked for will not come.
    void disconnected() noexcept { connected_ = false; }
    /// Forgets all requests, after a reconnect or when the consumer was made anew. `consumer`: the limits that it sets
    /// to a request.
    void reset(const RequestLimits& consumer, TimePoint now);
    /// Asks for nothing more.
    void stop() noexcept { stopped_ = true; }

    /// Returns whether the server has given no sign of life for two heartbeats while something was asked for.
    bool overdue(TimePoint now) const noexcept { return connected_ && !stopped_ && asked_ > 0 && now >= overdue_at(); }
    /// Returns when next() or overdue() may change without an event; nothing if they will not.
    std::optional<TimePoint> deadline() const noexcept;

    std::size_t window() const noexcept { return window_; }
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
    std::size_t busy() const noexcept;
    std::size_t busy_bytes() const noexcept;
    std::size_t byte_budget() const noexcept;
    void end_request(const PullStatus& status, TimePoint now);
    void forget_requests() noexcept;
    void restore_limits() noexcept;
    DeliveryVerdict conflict(const PullStatus& status, std::size_t bytes, TimePoint now);
    DeliveryVerdict limit(std::string_view text, TimePoint now);
    void pause(TimePoint now) noexcept;
    void adapt(std::chrono::nanoseconds held);

    PullLimits limits_;
    RequestLimits consumer_ = {};  // limits that the consumer's configuration sets
    RequestLimits request_ = {};   // limits of a request now
    std::size_t window_;
    std::size_t in_hand_ = 0;
    std::size_t bytes_in_hand_ = 0;
    std::ptrdiff_t awaiting_ = 0;  // of those in hand; for a moment less than 0, since reports may overtake each other
    std::ptrdiff_t awaiting_bytes_ = 0;
    std::size_t asked_ = 0;
    std::size_t asked_bytes_ = 0;  // of the open requests
    std::size_t too_large_ = 0;    // the next message has more bytes than this; 0: not known
    std::deque<Open> open_ = {};
    std::uint64_t last_number_ = 0;
    TimePoint alive_;            // the last sign of life, or when the first request after none was sent
    TimePoint not_before_;       // no request is sent earlier
    TimePoint sent_;             // when the last request was sent
    TimePoint restore_at_ = {};  // when lowered limits are restored
    std::size_t in_vain_ = 0;    // requests that ended since a message came
    std::size_t handled_since_change_ = 0;
    std::size_t bytes_since_change_ = 0;
    bool more_ = false;  // the server had more when the last message came
    bool lowered_ = false;
    bool connected_ = true;
    bool stopped_ = false;
};

}  // namespace freshet::detail
