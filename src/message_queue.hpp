// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::detail {

/// Messages between a subscription and the thread that asks for the next one. Bounded; thread-safe.
class MessageQueue {
public:
    MessageQueue(std::size_t max_messages, std::size_t max_bytes) noexcept
        : max_messages_{max_messages}, max_bytes_{max_bytes} {}

    /// False when it is full or closed.
    bool push(Message message);
    /// Nothing when `timeout` has passed, or when it is closed and empty.
    std::optional<Message> pop(std::chrono::milliseconds timeout);
    std::optional<Message> pop();
    /// What is in it can still be read.
    void close() noexcept;
    std::size_t size() const;

private:
    std::optional<Message> take();

    const std::size_t max_messages_;
    const std::size_t max_bytes_;
    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<Message> messages_ = {};
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

}  // namespace freshet::detail
