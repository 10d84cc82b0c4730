// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/error.hpp>
#include <freshet/headers.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

namespace freshet::detail {

/// The headers of the dead letter for `message`: its own, those that begin with `Nats-` under `Dead-Letter-Nats-...`,
/// since they would command the server; then why, where, how often; and a `Nats-Msg-Id`, so that a stream keeps it once
/// if it is published again because its confirmation was lost.
Headers dead_letter_headers(const Message& message, const Metadata& metadata, std::string_view why);

/// Whether what answered a dead letter confirms it: anything but an error, of a stream or of a handler.
Expected<void> check_dead_letter_answer(std::string_view subject, const Expected<Message>& answer);

}  // namespace freshet::detail
