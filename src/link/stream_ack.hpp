// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/message.hpp>

namespace freshet::detail {

/// Returns true if the message is a stream's acknowledgement, of a message that it stored or refused to store: an
/// object with the members of an acknowledgement and no others, the stream or the error first as the server writes
/// them, and no headers. A service's answer that has such members in another order remains an answer. If a stream
/// stores the subject of a request, the caller gets an acknowledgement beside the service's answer.
bool is_stream_ack(const Message& message) noexcept;

}  // namespace freshet::detail
