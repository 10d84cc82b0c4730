// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// The facts that JetStream tells about a message it delivers. The views point into the message.
struct Metadata {
    std::string_view stream = {};                     ///< name of the stream that stores the message
    std::string_view consumer = {};                   ///< name of the consumer that delivers the message
    std::string_view domain = {};                     ///< JetStream domain; empty: none
    std::uint64_t stream_sequence = 0;                ///< sequence of the message in its stream
    std::uint64_t consumer_sequence = 0;              ///< sequence of this delivery among all of the consumer's
    std::uint64_t deliveries = 0;                     ///< how often the message was delivered, this time included
    std::uint64_t pending = 0;                        ///< messages that the consumer had yet to deliver after this one
    std::chrono::system_clock::time_point time = {};  ///< when the stream stored it
};

/// Reads a message's acknowledgement subject: `$JS.ACK.` and 7 tokens, or 9 and more since server 2.10 and where
/// domains are in use (ADR-15). Returns nothing for any other subject. The views point into `reply_to`.
std::optional<Metadata> parse_ack_subject(std::string_view reply_to) noexcept;

}  // namespace freshet
