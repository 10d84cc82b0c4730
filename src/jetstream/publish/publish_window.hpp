// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/clock.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

#include "link/request_mux.hpp"

namespace freshet::detail {

/// The messages of an asynchronous publisher that wait for their acknowledgement: so many at most, sent again where that helps, and each
/// reported once: to its function, or out of flush. Knows no connection: `Send` sends.
///
/// Thread-safe. Owned by a shared_ptr, and lives as long as anything is under way. Its memory grows to what was under way at the same time,
/// and is used again: in the long run a message costs no allocation.
class PublishWindow : public std::enable_shared_from_this<PublishWindow> {
public:
    using Done = std::move_only_function<void(Expected<js::PublishAck>)>;

    struct Outgoing {
        std::string_view subject = {};
        Bytes body = {};
        std::string_view content_type = {};  // of Encoded: a literal
        RequestOptions request = {};
        bool has_id = false;
        int retries = 0;
        std::chrono::milliseconds retry_wait{};
    };
    /// The sink gets one answer and its end, from any thread, also before this returns; neither when it fails or throws. The
    /// message stays where it is until both this has returned and the sink had its end.
    using Send = std::function<Expected<void>(const Outgoing& message, ReplySink& sink)>;
    /// For failures that nobody asked for before the window ended; and for what a Done throws.
    using Report = std::function<void(const std::string& text)>;

    PublishWindow(Clock& clock, std::size_t max_pending, Send send, Report report);
    ~PublishWindow();

    /// Copies the message. Blocks while the window is full, unless inside a Done. An empty Done: flush reports a failure.
    void publish(Outgoing message, Done done);
    /// Waits until nothing is under way. Errc::timeout; or the first failure without a Done since the last call, and their number.
    Expected<void> flush(std::chrono::milliseconds timeout);
    std::size_t pending() const;

private:
    class Sending;
    struct Abandon {
        void operator()(Sending* sending) const noexcept;
    };
    using Waiting = std::unique_ptr<Sending, Abandon>;

    Sending& enter();
    void send(Sending& sending) noexcept;
    void send_later(Sending& sending) noexcept;
    void tell(Done& done, Expected<js::PublishAck> ack) noexcept;
    void leave(Sending& sending) noexcept;
    std::optional<Error> take_failure();

    static inline thread_local int telling_ = 0;  // functions that this thread has told and that have not returned

    Clock& clock_;
    const std::size_t max_pending_;
    const std::size_t resume_at_;
    const Send send_;
    const Report report_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Sending> sendings_;  // a deque: they stay where they are
    Sending* free_ = nullptr;
    std::size_t pending_ = 0;
    std::shared_ptr<PublishWindow> self_ = {};  // while anything is pending
    bool full_ = false;                         // until pending_ has fallen to resume_at_
    std::size_t failures_ = 0;                  // without a Done, since the last flush
    std::optional<Error> first_failure_ = {};
};

}  // namespace freshet::detail
