// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <freshet/clock.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::detail {

/// Messages between a subscription and the thread that asks for the next one. Bounded; thread-safe.
class MessageQueue {
public:
    /// `subject` names the stream in errors.
    MessageQueue(std::string subject, std::size_t max_messages, std::size_t max_bytes) noexcept
        : subject_{std::move(subject)}, max_messages_{max_messages}, max_bytes_{max_bytes} {}

    /// Sets the clock for the deadlines of pop(); null changes nothing. At first it is the system's.
    void use(std::shared_ptr<Clock> clock) noexcept;

    /// Adds a message. Returns false, and drops the message, if the queue is full or closed.
    bool push(Message message);
    /// Blocks for a message. Returns nothing when `timeout` has passed, or when the queue is closed and empty. Throws
    /// Errc::bad_setup where it would block a thread that brings answers.
    std::optional<Message> pop(std::chrono::milliseconds timeout);
    /// Blocks for a message. Returns nothing when the queue is closed and empty. Throws Errc::bad_setup where it would
    /// block a thread that brings answers.
    std::optional<Message> pop();
    /// Refuses messages from now on. Those in the queue can still be read.
    void close() noexcept;
    std::size_t size() const;

private:
    std::optional<Message> pop_until(TimePoint deadline, const std::shared_ptr<Clock>& clock);
    std::shared_ptr<Clock> clock() const;

    const std::string subject_;
    const std::size_t max_messages_;
    const std::size_t max_bytes_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
    std::deque<Message> messages_ = {};
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

}  // namespace freshet::detail
