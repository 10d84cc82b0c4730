// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/message.hpp>

namespace freshet::js {

/// A message that was read from a stream. Move-only. It answers the questions of MessageQuestions.
class StoredMessage : public MessageQuestions<StoredMessage> {
public:
    /// The place of a message in its stream.
    struct Place {
        std::string stream = {};
        std::string subject = {};
        std::uint64_t sequence = 0;
        std::chrono::system_clock::time_point time = {};
    };

    StoredMessage() = default;
    StoredMessage(Place place, Message message) noexcept : place_{std::move(place)}, message_{std::move(message)} {}

    /// Returns body and headers. With Read::direct it also has headers that the server adds, such as `Nats-Stream`.
    const Message& message() const noexcept { return message_; }
    /// Returns the subject on which the stream stored the message.
    std::string_view subject() const noexcept { return place_.subject; }
    /// Returns the sequence of the message in its stream.
    std::uint64_t sequence() const noexcept { return place_.sequence; }
    /// Returns when the server stored the message.
    std::chrono::system_clock::time_point time() const noexcept { return place_.time; }
    /// Returns the stream, the sequence and the time; the fields that a consumer fills are empty.
    std::optional<Metadata> metadata() const noexcept {
        return Metadata{.stream = place_.stream, .stream_sequence = place_.sequence, .time = place_.time};
    }
    /// Takes the message out; the rest stays.
    Message take_message() noexcept { return std::move(message_); }

private:
    Place place_ = {};
    Message message_ = {};
};

}  // namespace freshet::js
