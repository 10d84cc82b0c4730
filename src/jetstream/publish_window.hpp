// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <freshet/clock.hpp>
#include <freshet/detail/core.hpp>
#include <freshet/js/publish_options.hpp>

namespace freshet::detail {

/// The messages of an asynchronous publisher that wait for their acknowledgement: so many at most, sent again where that helps, and each
/// reported once: to its function, or out of flush. Knows no connection: `Send` sends, and calls the given function once with
/// the answer, from any thread, also before it returns.
///
/// Thread-safe. Owned by a shared_ptr: messages under way keep it alive.
class PublishWindow : public std::enable_shared_from_this<PublishWindow> {
public:
    using Done = std::move_only_function<void(Expected<js::PublishAck>)>;

    struct Outgoing {
        std::string subject = {};
        std::string body = {};
        std::string_view content_type = {};  // of Encoded: a literal
        RequestOptions request = {};
        bool has_id = false;
        int retries = 0;
        std::chrono::milliseconds retry_wait{};
    };
    using Send = std::function<void(const Outgoing& message, ReplyHandler on_reply)>;
    /// For failures that nobody asked for before the window ended; and for what a Done throws.
    using Report = std::function<void(const std::string& text)>;

    PublishWindow(Clock& clock, std::size_t max_pending, Send send, Report report);
    ~PublishWindow();

    /// Blocks while the window is full, unless inside a Done. An empty Done: flush reports a failure.
    void publish(Outgoing message, Done done);
    /// Waits until nothing is under way. Errc::timeout; or the first failure without a Done since the last call, and their number.
    Expected<void> flush(std::chrono::milliseconds timeout);
    std::size_t pending() const;

private:
    class Sending;

    void send(std::shared_ptr<Sending> sending);
    void answered(std::shared_ptr<Sending> sending, const Expected<Message>& reply);
    void leave(Done done, Expected<js::PublishAck> ack) noexcept;
    void count_out(const std::optional<Error>& failed) noexcept;
    void call(Done& done, Expected<js::PublishAck> ack) noexcept;
    std::optional<Error> take_failure();

    Clock& clock_;
    const std::size_t max_pending_;
    const std::size_t resume_at_;
    const Send send_;
    const Report report_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::size_t pending_ = 0;
    bool full_ = false;         // until pending_ has fallen to resume_at_
    std::size_t failures_ = 0;  // without a Done, since the last flush
    std::optional<Error> first_failure_ = {};
};

}  // namespace freshet::detail
