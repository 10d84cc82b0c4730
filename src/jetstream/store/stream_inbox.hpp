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
    /// A request has ended with so many messages left, which is all there is; more may be asked for.
    std::optional<std::size_t> left = {};
    bool repeated =
        false;  ///< it was taken before, from another consumer: no message, and of the metadata what is pending only
};

/// What a consumer delivers, in its order and without gaps, between the thread that receives and the one that reads.
/// After the first gap, status or silence nothing more is taken until another consumer is followed.
class StreamInbox final : public MessageSink {
public:
    /// Gets each message that is taken, in order, in the thread that receives, before the reader does: what it does is
    /// done while the reader reads earlier ones. Must not throw.
    using Arrived = std::function<void(const Message&)>;

    /// `subject` of the inbox, with a dot at its end: consumers send their status to it and their name. `arrived` may
    /// be empty.
    StreamInbox(Clock& clock, std::string subject, Arrived arrived);

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;

    /// Accepts the messages of this consumer from now on, from its first one. For messages that were accepted before,
    /// from another consumer, next() returns the place only.
    void follow(std::string consumer);
    /// The next message; nothing if none came in time, or something is missing before the next: then nothing more is
    /// taken.
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
