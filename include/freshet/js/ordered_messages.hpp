// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>

#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>

namespace freshet::detail {
class OrderedQueue;
}

namespace freshet::js {

/// The messages of a stream in their order, as a range for programs without handlers:
/// `for (const Message& message : broker.jetstream().ordered({.stream = "ORDERS"}))`. Each message comes once; after a
/// gap, a lost connection or a restart of the server it goes on where it was. While you do not read, the server waits.
/// Move-only. One thread at a time; call drain and stop from any thread. Must not outlive the broker.
class OrderedMessages {
public:
    explicit OrderedMessages(std::unique_ptr<detail::OrderedQueue> queue) noexcept;
    OrderedMessages(OrderedMessages&&) noexcept;
    OrderedMessages& operator=(OrderedMessages&&) = delete;
    /// Ends the range.
    ~OrderedMessages();

    /// Blocks until the next message and returns it. Returns nothing when `timeout` has passed, or when the range has
    /// ended. Throws Errc::stream_not_found while the stream is gone; you may go on afterwards: freshet looks for it
    /// until stop(). Throws Errc::bad_setup if it would have to block inside a function given to async.
    std::optional<Message> next(std::chrono::milliseconds timeout);
    /// Takes nothing more from the server: the range ends when you have read the messages that are here already. Does
    /// not block.
    void drain() noexcept;
    /// Ends the range at once. Does not block.
    void stop() noexcept;

    class Iterator {
    public:
        using value_type = Message;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(OrderedMessages& messages) : messages_{&messages} { ++*this; }
        const Message& operator*() const noexcept { return *current_; }
        Iterator& operator++();
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept { return !a.current_; }

    private:
        OrderedMessages* messages_ = nullptr;
        std::optional<Message> current_ = {};
    };
    /// Returns an iterator whose increments block for the next message, and throw as next() does. The range ends after
    /// drain(), at stop(), or when the broker stops.
    Iterator begin() { return Iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    std::unique_ptr<detail::OrderedQueue> queue_;
};

}  // namespace freshet::js
