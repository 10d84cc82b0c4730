// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <typeinfo>

#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>
#include <freshet/outcome.hpp>
#include <freshet/stats.hpp>

namespace freshet {

class Binder;
class MessageSink;
class Subject;
struct SourceDescription;

/// Does nothing. It belongs to the library freshet_jetstream: a linker that does not find it names, with it, the target
/// to link, freshet::jetstream.
void link_the_target_freshet_jetstream() noexcept;

namespace detail {

class Confirmer;
class Link;

/// What becomes of a message whose handling failed.
struct Plan {
    enum class Kind : std::uint8_t {
        none,     ///< there is nothing to decide: the source does not keep its messages
        left,     ///< nothing is sent: the message is settled already, or the server delivers it again after ack_wait
        done,     ///< it is acknowledged
        again,    ///< it is delivered again after `delay`
        give_up,  ///< never again
    };

    Kind kind = Kind::none;
    std::uint64_t attempt = 0;   ///< of the program's handlers, this one included
    std::uint64_t attempts = 0;  ///< at most; 0: no limit
    std::chrono::nanoseconds delay = {};
};

/// How the handling of one message ended.
struct Handled {
    const Outcome& outcome;          ///< the outcome that the handler returned or decided
    const Error* failure = nullptr;  ///< why the message failed or was refused; null: it did not fail
    bool rejected = false;           ///< the message cannot be handled at all, for example because it does not decode
    bool decided = false;            ///< the handler chose the outcome: it returned or threw it, or used the Context
    bool untouched = false;          ///< the subscriber stops, and the handler never received the message
    bool declined = false;           ///< the handler answered on purpose that it does not do what was asked, for good
    const Plan* plan = nullptr;      ///< what plan() returned; null: it was not asked
};

/// The origin of a subscriber's messages, which is also told the outcome of each: a core NATS subscription, a JetStream
/// consumer, a watch. The functions may be called from any thread.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Says that the handler takes the body of each message, so that the source may leave out messages that mean "there
    /// is no value any more". Called before bind.
    virtual void expect_bodies(Binder& binder) { (void)binder; }

    /// Returns whether each message carries a value of this type beside its body: see Binder::carries.
    virtual bool carries(const std::type_info& type) const noexcept {
        (void)type;
        return false;
    }

    /// Says where the messages come from; SourceKind::other unless the source says more. May be called at any time.
    virtual void describe(SourceDescription& description) const;

    /// Checks the settings of the source. Called once, before the broker connects.
    virtual void bind(const Subject& subject, Binder& binder) {
        (void)subject;
        (void)binder;
    }

    /// Declares the streams that the source reads, so that the look-ups of other subscribers find them. Called before
    /// any subscriber of the broker starts. Blocks.
    virtual Expected<void> declare(Link& link) {
        (void)link;
        return {};
    }

    /// Returns true if the source's messages stay until they are acknowledged.
    virtual bool keeps() const noexcept { return false; }
    /// Returns what has streams confirm the publications of the handler; null unless keeps(). Called once, before
    /// start(). The source owns the object.
    virtual Confirmer* confirmer(Link& link) {
        (void)link;
        return nullptr;
    }

    /// Returns the subject to which the source publishes messages that are given up; empty if there is none.
    virtual std::string_view dead_letter() const noexcept { return {}; }

    /// Begins to feed `sink`, as a transport does: on_message from one thread at a time, at last on_end, exactly once.
    /// May block and ask the server; messages may come before it returns. After a failure the sink is neither called
    /// nor kept: it is the subscriber, which keeps this source.
    virtual Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) = 0;

    /// Returns why the server refused the subscription that start() made without waiting for an answer, or nothing.
    /// Known after a flush of the transport.
    virtual std::optional<Error> refusal() const { return std::nullopt; }

    /// Stops asking for more messages: the broker stops, and will drain what its transport delivers. Does not block.
    virtual void quiesce() noexcept {}

    /// Stops the source: it takes nothing new and delivers the messages that have arrived, for `timeout` at most;
    /// on_end follows. Does not block.
    virtual void stop(std::chrono::milliseconds timeout) noexcept = 0;

    /// Returns true if messages that have not reached the handler are to be settled with nack instead of handled.
    virtual bool wants_back() const noexcept { return false; }

    /// Decides what becomes of a message whose handling failed, and counts the attempt. Called at most once for each
    /// message, just before settle(), which then does what was decided.
    virtual Plan plan(const Message& message, const Handled& handled) noexcept {
        (void)message, (void)handled;
        return {};
    }

    /// Settles a message; called once for each message that was fed. `message` is empty if the handler took it.
    virtual void settle(Message message, const Handled& handled) noexcept = 0;

    /// Tells the source that the handler still works on the message.
    virtual void in_progress(const Message& message) noexcept { (void)message; }

    /// Acknowledges the message now, and blocks until the server has confirmed that.
    virtual Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout) {
        (void)message, (void)timeout;
        return {};
    }

    /// Returns true if the reply subject of a message belongs to somebody who waits for an answer.
    virtual bool answerable() const noexcept { return true; }

    /// Returns the number of messages that have arrived and wait to be fed.
    virtual std::size_t pending() const noexcept = 0;
    /// Returns the number of messages that were dropped, and so never fed.
    virtual std::uint64_t dropped() const noexcept = 0;

    /// Returns the queue group or the durable consumer that shares the messages among programs; empty if none does.
    virtual std::string_view group() const noexcept { return {}; }
    /// Returns the counters of the JetStream consumer; nothing if there is none.
    virtual std::optional<ConsumerStats> consumer_stats() const { return std::nullopt; }
    /// Asks the server for what consumer_stats() tells of it. Does not wait for the answer.
    virtual void ask_lag() noexcept {}
};

}  // namespace detail
}  // namespace freshet
