// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

namespace freshet::detail {

/// How much of a message a dead letter has. What is too large for a server is so each time.
enum class LetterSize : std::uint8_t {
    whole,
    no_payload,  ///< its size is in the header Dead-Letter-Payload-Size
    bare,        ///< nor the message's own headers
};

/// The headers of the dead letter for `message`: its own, those that begin with `Nats-` under `Dead-Letter-Nats-...`,
/// since they would command the server; then why, where, how often; and a `Nats-Msg-Id`, so that a stream keeps it once
/// if it is published again because its confirmation was lost.
Headers dead_letter_headers(const Message& message, const Metadata& metadata, std::string_view why,
                            LetterSize size = LetterSize::whole);

/// Whether what answered a dead letter confirms it: anything but an error, of a stream or of a handler.
/// Errc::payload_too_large where it would never be kept for its size.
Expected<void> check_dead_letter_answer(std::string_view subject, const Expected<Message>& answer);

}  // namespace freshet::detail
