// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "link/connection_watcher.hpp"

namespace freshet::detail {

/// A message and its place in the stream.
struct StreamMessage {
    Message message = {};
    Metadata metadata = {};
    /// Set for the end of a request instead of a message: how many messages it had left. More may be asked for.
    std::optional<std::size_t> left = {};
    /// The message was taken before, from another consumer. There is no message, and only metadata.pending is set.
    bool repeated = false;
};

/// Passes the messages of a consumer, in order and without gaps, from the receiving thread to the reading one. After
/// the first gap, status or silence it takes no more until it follows another consumer.
class StreamInbox final : public MessageSink, public ConnectionWatcher {
public:
    /// Called with each message that is taken, in order, on the receiving thread, before the reader gets it. So it
    /// works while the reader handles earlier messages. Must not throw.
    using Arrived = std::function<void(const Message&)>;

    /// `subject`: the inbox's, with a dot at its end; a consumer's statuses come to it and the consumer's name.
    /// `arrived` may be empty.
    StreamInbox(Clock& clock, std::string subject, Arrived arrived);

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;
    void on_connection(ConnectionChange) noexcept override {}
    void on_refused(std::string_view subject, const Error& why) noexcept override;

    /// Accepts the messages of this consumer from now on, from its first one. For messages that were accepted before,
    /// from another consumer, next() returns the place only.
    void follow(std::string consumer);
    /// Blocks until a message comes, for `timeout` at most, and returns it. Returns nothing if none came, or if a
    /// message before the next one is missing; then it takes no more.
    std::optional<StreamMessage> next(std::chrono::nanoseconds timeout);
    /// Returns why the server refused a request for messages of the consumer; nothing if it did not.
    std::optional<Error> refusal() const;
    /// Returns the stream's sequence of the last accepted message. Call it when next() has returned nothing.
    std::uint64_t stream_sequence() const;

private:
    bool follows(const Message& message, const std::optional<Metadata>& metadata) noexcept;
    void take(Message message, const Metadata& metadata, std::unique_lock<std::mutex>& lock);

    Clock& clock_;
    const std::string subject_;
    const Arrived arrived_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<StreamMessage> messages_ = {};
    std::string consumer_ = {};
    std::uint64_t consumer_sequence_ = 0;
    std::uint64_t stream_sequence_ = 0;
    bool stopped_ = true;    // accepts nothing more of this consumer
    bool arriving_ = false;  // a message is accepted and not in messages_ yet
    bool ended_ = false;
    std::optional<Error> refusal_ = {};
};

}  // namespace freshet::detail
