// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// The part of a message that its dead letter has. A message that is too large for a server stays too large, so the
/// dead letter leaves parts out.
enum class LetterSize : std::uint8_t {
    whole,
    no_payload,  ///< its size is in the header Dead-Letter-Payload-Size
    bare,        ///< without the message's own headers too
};

/// Returns the headers of the dead letter for `message`: first its own, where those that begin with `Nats-` become
/// `Dead-Letter-Nats-...`, since the server would obey them; then the reason, the origin and the number of deliveries;
/// and a `Nats-Msg-Id`, so that a stream keeps the dead letter once if it is published again because its confirmation
/// was lost.
Headers dead_letter_headers(const Message& message, const Metadata& metadata, std::string_view why,
                            LetterSize size = LetterSize::whole);

/// Declares the stream of `dead_letter_stream`, if it is more than a name, and makes sure that it stores `dead_letter`.
/// Blocks.
Expected<void> declare_dead_letters(const JsApi& api, const js::Retry& retry);

/// Checks whether the answer confirms a dead letter: anything does but an error of a stream or of a handler. Returns
/// where the dead letter is, for a log line, or an error: Errc::payload_too_large if the stream would never keep it
/// because of its size.
Expected<std::string> check_dead_letter_answer(std::string_view subject, const Expected<Message>& answer);

}  // namespace freshet::detail
