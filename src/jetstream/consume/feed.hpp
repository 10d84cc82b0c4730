// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <freshet/detail/source.hpp>
#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "jetstream/consume/held_messages.hpp"
#include "jetstream/consume/settled.hpp"
#include "jetstream/consume/settlement.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// Between a JetStream consumer and a subscriber: gives it the messages, keeps the server from delivering those in hand
/// again, and settles them. Thread-safe.
class Feed final : public std::enable_shared_from_this<Feed> {
public:
    /// Called after messages were settled, for some at a time while others are in hand.
    using OnSettled = std::function<void(const Settled& settled)>;

    /// `who`: for log lines.
    Feed(Link& link, Settlement settlement, std::string who, std::shared_ptr<MessageSink> sink, OnSettled on_settled);

    /// The time after which the server delivers an unacknowledged message again; 0: it wants no acknowledgements.
    void set_ack_wait(std::chrono::nanoseconds ack_wait);

    void feed(Message message, const Metadata& metadata) noexcept;
    void settle(Message message, const Handled& handled) noexcept;
    void in_progress(const Message& message) noexcept;
    /// Acknowledges, and blocks until the server confirms that it knows.
    Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout);
    /// No message will be fed any more.
    void end() noexcept;

private:
    void perform(const Action& action, Message message, const Metadata& metadata, std::string_view why) noexcept;
    void publish_dead_letter(Message message, const Metadata& metadata, std::string_view why,
                             std::chrono::nanoseconds delay) noexcept;
    void finish_dead_letter(const Message& message, const Expected<void>& confirmed, const std::string& why,
                            std::chrono::nanoseconds delay) noexcept;
    /// Why a message was given up that is here once more. Takes it.
    std::string why_given_up(const Metadata& metadata);
    /// Sends the acknowledgement `word`, and lets go of the message.
    void release(const Message& message, std::string_view word) noexcept;
    void acknowledge(std::string_view subject, std::string_view word, Flush flush) noexcept;
    void nak(const Message& message, std::chrono::nanoseconds delay) noexcept;
    bool wants_acks() const noexcept { return ack_wait_.load(std::memory_order_relaxed).count() != 0; }
    void arm(TimePoint now);
    void tell_in_progress() noexcept;

    Link& link_;
    const Settlement settlement_;
    const std::string who_;
    const OnSettled on_settled_;

    std::mutex mutex_ = {};
    std::shared_ptr<MessageSink> sink_;  // until end
    HeldMessages held_ = {};
    Settled settled_ = {};  // and not reported yet
    TimePoint reported_ = {};
    std::map<std::uint64_t, std::string> unkept_ = {};  // why messages were given up whose dead letters nobody kept
    std::atomic<std::chrono::nanoseconds> ack_wait_{};
    bool armed_ = false;
};

}  // namespace freshet::detail
