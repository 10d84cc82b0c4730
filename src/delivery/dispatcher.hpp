// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {

/// What a dispatcher calls: the subscriber that it works for. From the dispatcher's threads, several at once if it has
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

/// Brings a subscriber's messages from the thread that delivers them to where they are handled: into the same thread,
/// to workers, into batches. How a message's handling ends is not its business. Thread-safe, also inside a handler.
class Dispatcher {
public:
    Dispatcher() = default;
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    /// Drops what waits and waits for the handlers that run.
    virtual ~Dispatcher() = default;

    /// Takes a message. Returns false, and leaves the message as it is, when too many wait or close() was called.
    /// Blocks only where this thread is the one that handles.
    virtual bool dispatch(Message& message) noexcept = 0;
    /// Takes nothing more from now on. What waits is still handled; then Handling::on_emptied is called, perhaps inside
    /// this call. Does not wait for other threads.
    virtual void close() noexcept = 0;
    /// Removes and returns what waits.
    virtual std::vector<Message> take_waiting() = 0;
    /// Messages that wait, without those that are being handled.
    virtual std::size_t pending() const noexcept = 0;
};

}  // namespace freshet::detail
