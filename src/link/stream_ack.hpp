// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/message.hpp>

namespace freshet::detail {

/// Whether this is what a stream answers to a message that it stores, or refuses to store: an object with the members
/// of an acknowledgement and no others, and no headers. A request whose subject a stream has, too, gets it beside the
/// service's answer.
bool is_stream_ack(const Message& message) noexcept;

}  // namespace freshet::detail
