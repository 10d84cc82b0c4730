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

#include <freshet/clock.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {

/// A message and its place in the stream.
struct StreamMessage {
    Message message = {};
    Metadata metadata = {};
    bool repeated = false;  ///< taken before, from another consumer: has no message, and only `pending` of the metadata
};

/// Passes the messages of a consumer, in order and without gaps, from the thread that receives to the thread that
/// reads. After the first gap, status or silence it accepts nothing until it follows another consumer.
class StreamInbox final : public MessageSink {
public:
    /// Called for each accepted message, in order, on the receiving thread, before the reader gets it: so it works
    /// while the reader reads earlier messages. Must not throw.
    using Arrived = std::function<void(const Message&)>;

    /// `subject` is that of the inbox and ends in a dot. Consumers send their status to it with their name behind.
    /// `arrived` may be empty.
    StreamInbox(Clock& clock, std::string subject, Arrived arrived);

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;

    /// Accepts the messages of this consumer from now on, from its first one. For messages that were accepted before,
    /// from another consumer, next() returns the place only.
    void follow(std::string consumer);
    /// Blocks until a message comes and returns it. Returns nothing if none came in time or one is missing; it accepts
    /// nothing more then.
    std::optional<StreamMessage> next(std::chrono::nanoseconds timeout);
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
};

}  // namespace freshet::detail
