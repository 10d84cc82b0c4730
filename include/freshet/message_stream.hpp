// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>

namespace freshet {

struct SubscriberStats;  // in <freshet/subscriber.hpp>

namespace detail {

class SubscriberCore;
class MessageQueue;

}  // namespace detail

/// The messages of a subscription as a range, for programs that ask for the next message instead of being called.
/// Move-only; destroying it ends the subscription. For one thread at a time, except stop(), which any thread may call.
class MessageStream {
public:
    MessageStream(std::shared_ptr<detail::SubscriberCore> subscriber,
                  std::shared_ptr<detail::MessageQueue> queue) noexcept
        : subscriber_{std::move(subscriber)}, queue_{std::move(queue)} {}
    MessageStream(MessageStream&&) noexcept = default;
    MessageStream& operator=(MessageStream&&) = delete;
    ~MessageStream();

    /// Blocks until the next message and returns it; returns nothing when `timeout` has passed or the subscription has
    /// ended. Throws Error(Errc::bad_setup) if it would have to block inside a function given to async.
    std::optional<Message> next(std::chrono::milliseconds timeout);
    /// Blocks until the next message and returns it; returns nothing when the subscription has ended. Throws
    /// Error(Errc::bad_setup) if it would have to block inside a function given to async.
    std::optional<Message> next();

    SubscriberStats stats() const;
    /// Ends the subscription: messages that have arrived can still be read. May be called from any thread.
    void stop();

    class Iterator {
    public:
        using value_type = Message;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(MessageStream& stream) : stream_{&stream} { ++*this; }

        const Message& operator*() const noexcept { return *current_; }
        Iterator& operator++() {
            current_ = stream_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept { return !a.current_; }

    private:
        MessageStream* stream_ = nullptr;
        std::optional<Message> current_ = {};
    };

    /// Blocks until the first message: `for (const Message& message : stream)` runs until the subscription ends, by
    /// stop() or with the broker.
    Iterator begin() { return Iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    std::shared_ptr<detail::SubscriberCore> subscriber_;
    std::shared_ptr<detail::MessageQueue> queue_;
};

}  // namespace freshet
