// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
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

/// Between a JetStream consumer and a subscriber: gives it the messages, keeps the server from delivering those in hand
/// again, and settles them. Thread-safe.
class Feed final : public std::enable_shared_from_this<Feed> {
public:
    struct Calls {
        /// After messages were settled, for some at a time while others are in hand.
        std::function<void(const Settled& settled)> settled = {};
        /// Once, when no message will be fed any more and none is in hand.
        std::function<void()> done = {};
    };

    /// `who`: for log lines.
    Feed(Link& link, Settlement settlement, std::string who, std::shared_ptr<MessageSink> sink, Calls calls);

    /// The time after which the server delivers an unacknowledged message again; 0: it wants no acknowledgements.
    void set_ack_wait(std::chrono::nanoseconds ack_wait);

    void feed(Message message, const Metadata& metadata) noexcept;
    void settle(Message message, const Handled& handled) noexcept;
    void in_progress(const Message& message) noexcept;
    /// Acknowledges, and blocks until the server confirms that it knows.
    Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout);
    /// No message will be fed any more.
    void end() noexcept;

    /// The consumer may be gone, or another one of its name: nothing is settled until found().
    void doubt() noexcept { acknowledger_.doubt(); }
    /// The consumer is there. If it was made anew, what is in hand is another one's, and is not settled any more.
    void found(Acknowledger::Anew anew) noexcept;

    /// The consumer says that messages up to this one of its stream are settled, and how many it has delivered that are
    /// not.
    void begin_behind(std::uint64_t sequence, std::uint64_t outstanding) noexcept;
    /// The sequence of the first message of the stream that is not settled, as far as this program knows; 0: it knows
    /// nothing.
    std::uint64_t first_unsettled();

private:
    void perform(const Action& action, Message message, const Metadata& metadata, std::string_view why) noexcept;
    void publish_dead_letter(Message message, const Metadata& metadata, std::string_view why,
                             std::chrono::nanoseconds delay) noexcept;
    void send_dead_letter(const std::shared_ptr<Message>& message, const std::string& why,
                          std::chrono::nanoseconds delay, LetterSize size) noexcept;
    void finish_dead_letter(const std::shared_ptr<Message>& message, const Expected<void>& confirmed,
                            const std::string& why, std::chrono::nanoseconds delay, LetterSize size) noexcept;
    /// Counts one more attempt of a handler at a message that it failed at: how many there are.
    std::uint64_t count_attempt(const Message& message, std::uint64_t sequence);
    /// Acknowledges it before its handler runs.
    void ack_first(const Message& message) noexcept;
    /// Removes and returns the reason remembered for a message whose dead letter nobody kept; empty if there is none.
    std::string take_unkept(std::uint64_t sequence);
    /// Sends the acknowledgement `word`, and lets go of the message.
    void release(const Message& message, std::string_view word) noexcept;
    /// Remembers what comes again, and forgets what does not.
    void note_released(const Held& held, std::string_view word);
    void acknowledge(const Held& held, std::string_view word, Flush flush) noexcept;
    void nak(const Message& message, std::chrono::nanoseconds delay) noexcept;
    bool wants_acks() const noexcept { return ack_wait_.load(std::memory_order_relaxed).count() != 0; }
    /// Whether the consumer that delivered it is gone.
    bool outlived(const Message& message);
    bool take_done();
    void arm(TimePoint now);
    void tell_in_progress() noexcept;

    Link& link_;
    const Settlement settlement_;
    const std::string who_;
    const Calls calls_;
    Acknowledger acknowledger_;

    std::mutex mutex_ = {};
    std::shared_ptr<MessageSink> sink_;  // until end
    HeldMessages held_ = {};
    Settled settled_ = {};  // and not reported yet
    TimePoint reported_ = {};
    std::map<std::uint64_t, std::string> unkept_ = {};  // why messages were given up whose dead letters nobody kept
    std::map<std::uint64_t, std::uint64_t> attempts_ =
        {};                                    // at messages that handlers failed at, by their stream sequence
    std::set<std::uint64_t> given_back_ = {};  // stream sequences: they will be delivered again
    std::uint64_t last_fed_ = 0;               // stream sequence; 0: none of this consumer
    std::uint64_t behind_ = 0;                 // what the consumer said to be settled; 0: it did not
    TimePoint outstanding_until_ = {};         // messages before last_fed_ may have to come again
    std::atomic<std::chrono::nanoseconds> ack_wait_{};
    bool armed_ = false;
    bool ended_ = false;
    bool done_ = false;
};

}  // namespace freshet::detail
