// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {

/// The subscriber that a dispatcher works for. The dispatcher calls it on its threads, on several at once if it has
/// several.
class Handling {
public:
    Handling() = default;
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

    /// Handles a message that has waited.
    virtual void handle(Message message) noexcept = 0;
    /// Handles messages together.
    virtual void handle(std::vector<Message> batch) noexcept = 0;
    /// Settles a message that cannot be dispatched because of what is in it.
    virtual void reject(Message message, const Error& why) noexcept = 0;
    /// Called once, after close(), when nothing waits and no handler runs any more.
    virtual void on_emptied() noexcept = 0;

protected:
    ~Handling() = default;
};

/// Brings a subscriber's messages from the thread that delivers them to where they are handled: in that thread, by
/// workers, or in batches. Conclusion ends the handling. Thread-safe, also inside a handler.
class Dispatcher {
public:
    Dispatcher() = default;
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    /// Drops the messages that wait, and waits for the handlers that run.
    virtual ~Dispatcher() = default;

    /// Takes a message. Returns false, and leaves the message as it is, if too many wait or close() was called. Blocks
    /// only if the calling thread runs the handler.
    virtual bool dispatch(Message& message) noexcept = 0;
    /// Refuses messages from now on. The messages that wait are still handled; then the dispatcher calls
    /// Handling::on_emptied, perhaps inside this call. Does not wait for other threads.
    virtual void close() noexcept = 0;
    /// Removes and returns the messages that wait.
    virtual std::vector<Message> take_waiting() = 0;
    /// Returns how many messages wait, without those that are being handled.
    virtual std::size_t pending() const noexcept = 0;
};

}  // namespace freshet::detail
