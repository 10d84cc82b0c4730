// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// What JetStream tells of a message it delivers. The views are into the message.
struct Metadata {
    std::string_view stream = {};
    std::string_view consumer = {};
    std::string_view domain = {};                     ///< empty: none
    std::uint64_t stream_sequence = 0;                ///< of the message in its stream
    std::uint64_t consumer_sequence = 0;              ///< of this delivery among the consumer's
    std::uint64_t deliveries = 0;                     ///< how often it was delivered, this time included
    std::uint64_t pending = 0;                        ///< messages that the consumer had yet to deliver behind this one
    std::chrono::system_clock::time_point time = {};  ///< when the stream stored it
};

/// Reads a message's acknowledgement subject, `$JS.ACK.` and 7 tokens, or 9 and more since server 2.10 and where domains
/// are in use (ADR-15). Nothing for any other subject.
std::optional<Metadata> parse_ack_subject(std::string_view reply_to) noexcept;

}  // namespace freshet
