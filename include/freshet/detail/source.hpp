// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/message.hpp>
#include <freshet/outcome.hpp>

namespace freshet {

class Binder;
class MessageSink;
class Subject;

namespace detail {

class Link;

/// How the handling of one message ended.
struct Handled {
    const Outcome& outcome;          ///< what the handler returned or decided
    const Error* failure = nullptr;  ///< why it failed or was refused; null: it did not
    bool rejected = false;   ///< the message cannot be handled at all: it does not decode, a path does not parse
    bool decided = false;    ///< the handler said the outcome: returned it, threw it, or chose it through the Context
    bool untouched = false;  ///< the subscriber stops, and the handler did not see the message
};

/// Where a subscriber's messages come from, and where it is told what became of each: a core NATS subscription, a
/// JetStream consumer, a watch. Its functions may be called from any thread.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Before bind: the handler takes the body of each message. One that means "there is no value any more" need not come.
    virtual void expect_bodies(Binder& binder) { (void)binder; }

    /// Checks its settings, once, before the broker connects.
    virtual void bind(const Subject& subject, Binder& binder) {
        (void)subject;
        (void)binder;
    }

    /// Begins to feed `sink`, as a transport does: on_message from one thread at a time, at last on_end, exactly once.
    /// May block and ask the server; messages may come before it returns. When it fails the sink is not called any more.
    virtual Expected<void> start(Link& link, const Subject& subject, std::shared_ptr<MessageSink> sink) = 0;

    /// Why the server refused what start() asked for without waiting for the answer. Known after a flush of the transport.
    virtual std::optional<Error> refusal() const { return std::nullopt; }

    /// The broker stops and will drain what its transport delivers: ask for nothing more. Does not block.
    virtual void quiesce() noexcept {}

    /// This subscriber stops: takes nothing more, delivers what has arrived for `timeout` at most; on_end follows. Does not
    /// block.
    virtual void stop(std::chrono::milliseconds timeout) noexcept = 0;

    /// Whether messages that have not reached the handler are to be settled with nack instead of handled.
    virtual bool wants_back() const noexcept { return false; }

    /// What became of a message; once for each that was fed. Empty if the handler took it.
    virtual void settle(Message message, const Handled& handled) noexcept = 0;

    /// The handler still works on it.
    virtual void in_progress(const Message& message) noexcept { (void)message; }

    /// Acknowledges it now, and blocks until the server has confirmed that.
    virtual Expected<void> ack_sync(const Message& message, std::chrono::milliseconds timeout) {
        (void)message, (void)timeout;
        return {};
    }

    /// Whether the reply subject of a message is that of somebody who waits for an answer.
    virtual bool answerable() const noexcept { return true; }

    /// Messages that arrived and were not fed yet; and those dropped, which were not.
    virtual std::size_t pending() const noexcept = 0;
    virtual std::uint64_t dropped() const noexcept = 0;
};

}  // namespace detail
}  // namespace freshet
