// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <freshet/detail/source.hpp>
#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/dead_letter.hpp"
#include "jetstream/consume/held_messages.hpp"
#include "jetstream/consume/settled.hpp"
#include "jetstream/consume/settlement.hpp"
#include "link/link.hpp"

namespace freshet::detail {

/// Stands between a JetStream consumer and a subscriber: gives the subscriber the messages, keeps the server from
/// delivering those in hand again, and settles them. Thread-safe.
class Feed final : public std::enable_shared_from_this<Feed> {
public:
    struct Calls {
        /// Called after messages were settled; for several at a time while others are in hand.
        std::function<void(const Settled& settled)> settled = {};
        /// Called once, when no message will be fed any more and none is in hand.
        std::function<void()> done = {};
    };

    /// `who`: for log lines.
    Feed(Link& link, Settlement settlement, std::string who, std::shared_ptr<MessageSink> sink, Calls calls);

    /// Sets the time after which the server delivers an unacknowledged message again; 0: the server wants no
    /// acknowledgements.
    /// `max_extension`: how long the server is kept from it; 0: 5 minutes or ten times `ack_wait`.
    void set_ack_wait(std::chrono::nanoseconds ack_wait, std::chrono::nanoseconds max_extension = {});

    void feed(Message message, const Metadata& metadata) noexcept;
    /// Decides what becomes of a message whose handling failed, and counts the attempt; settle() follows.
    Plan plan(const Message& message, const Handled& handled) noexcept;
    void settle(Message message, const Handled& handled) noexcept;
    /// Makes room for another message, since the handler of this one has returned; settle() follows.
    void returned(const Message& message) noexcept;
    void in_progress(const Message& message) noexcept;
    /// Acknowledges the message, and blocks until the server confirms that.
    Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout);
    /// Ends the feed: no message will be fed any more.
    void end() noexcept;

    /// Makes settlements wait until found(), because the consumer may be gone, or be another one of its name.
    void doubt() noexcept { acknowledger_.doubt(); }
    /// Ends the wait, since the consumer was found. If it was made anew, the messages in hand came from the earlier
    /// one, and are not settled any more.
    void found(Acknowledger::Anew anew) noexcept;

    /// Notes what the consumer says: all messages of its stream up to `sequence` are settled, and it has delivered
    /// `outstanding` messages that are not.
    void begin_behind(std::uint64_t sequence, std::uint64_t outstanding) noexcept;
    /// Adds the counters of the feed to `stats`.
    void count(ConsumerStats& stats) const noexcept;

    /// Returns the stream sequence of the first message that is not settled, as far as this program knows; 0: it knows
    /// nothing.
    std::uint64_t first_unsettled();

private:
    /// Why a message is given up.
    struct Reason {
        std::string text = {};
        LogLevel level = LogLevel::error;  // of the line that says so
        int code = 0;                      // of the answer that gave the message up; 0: it failed
    };

    Action decide(const Message& message, const Handled& handled, Tries& tries) noexcept;
    Action action_of(const Plan& plan) const noexcept;
    static Reason reason_of(const Handled& handled);
    void perform(const Action& action, Message message, const Reason& why) noexcept;
    void report_given_up(const Message& message, std::string_view what_then, const Reason& why) noexcept;
    void publish_dead_letter(Message message, const Reason& why, std::chrono::nanoseconds delay) noexcept;
    void send_dead_letter(const std::shared_ptr<Message>& message, const Reason& why, std::chrono::nanoseconds delay,
                          LetterSize size) noexcept;
    void finish_dead_letter(const std::shared_ptr<Message>& message, const Expected<std::string>& kept,
                            const Reason& why, std::chrono::nanoseconds delay, LetterSize size) noexcept;
    /// Logs that the dead letter of a message was not kept: the first time, and when the reason is another one.
    void report_unkept(std::uint64_t sequence, const Error& why) noexcept;
    /// Counts one more failed attempt of a handler at a message, and returns how many there are.
    std::uint64_t count_attempt(const Message& message, std::uint64_t sequence);
    /// Acknowledges the message before its handler runs.
    void ack_first(const Message& message) noexcept;
    /// Removes and returns the reason remembered for a message whose dead letter nobody kept; without a text if there
    /// is none.
    Reason take_unkept(std::uint64_t sequence);
    /// Sends the acknowledgement `word`, and releases the message.
    void release(const Message& message, std::string_view word) noexcept;
    enum class Urgency : std::uint8_t { none, handlers_idle };
    /// Removes and returns what is to be reported now; nothing if not enough has happened and handlers have messages.
    std::optional<Settled> take_report(TimePoint now, Urgency urgency);
    /// Remembers a released message if it comes again, and forgets it otherwise.
    void note_released(const Held& held, std::string_view word);
    void acknowledge(const Held& held, std::string_view word, Flush flush) noexcept;
    void settle_last(const Held& held, std::string_view word) noexcept;
    void nak(const Message& message, std::chrono::nanoseconds delay) noexcept;
    bool wants_acks() const noexcept { return ack_wait_.load(std::memory_order_relaxed).count() != 0; }
    /// Returns whether the consumer that delivered the message is gone.
    bool outlived(const Message& message);
    bool take_done();
    void arm(TimePoint now);
    void tell_in_progress() noexcept;

    Link& link_;
    const Settlement settlement_;
    const std::string who_;
    const Calls calls_;
    Acknowledger acknowledger_;
    FailureLog log_{link_, {}};
    std::atomic<std::uint64_t> redeliveries_ = 0;
    std::atomic<std::uint64_t> dead_letters_ = 0;
    std::atomic<std::uint64_t> dead_letters_refused_ = 0;
    std::atomic<std::uint64_t> recoveries_ = 0;

    std::mutex mutex_ = {};
    std::shared_ptr<MessageSink> sink_;  // until end
    HeldMessages held_ = {};
    std::size_t returned_ = 0;    // held messages whose handlers have returned
    Settled settled_ = {};        // not reported yet
    std::size_t unreported_ = 0;  // events that it counts
    TimePoint reported_ = {};
    std::map<std::uint64_t, Reason> unkept_ = {};           // reasons of messages whose dead letters nobody kept
    std::optional<std::error_code> unkept_told_ = {};       // since the last dead letter that was kept
    std::map<std::uint64_t, std::uint64_t> attempts_ = {};  // failed attempts at messages, by stream sequence
    std::set<std::uint64_t> given_back_ = {};               // stream sequences of messages that will be delivered again
    std::uint64_t last_fed_ = 0;                            // stream sequence; 0: no message of this consumer
    std::uint64_t behind_ = 0;          // the consumer says that messages up to here are settled; 0: it has not said so
    TimePoint outstanding_until_ = {};  // until then messages before last_fed_ may come again
    std::atomic<std::chrono::nanoseconds> ack_wait_{};
    std::atomic<std::chrono::nanoseconds> max_extension_{};
    bool armed_ = false;
    bool ended_ = false;
    bool done_ = false;
};

}  // namespace freshet::detail
