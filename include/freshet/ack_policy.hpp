// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// When a JetStream message is acknowledged. A decision of the handler itself takes precedence: an Outcome that it
/// returns, a call on its Context, or an Ack, Nack, Reject or Skip that it throws.
/// docs/jetstream-consumers.md#settlement has the whole table. On core NATS there is nothing to acknowledge, and the
/// policy has no effect.
enum class AckPolicy : std::uint8_t {
    ack_first,        ///< before the handler runs: each message is handled at most once, lost if the handler fails
    ack,              ///< after the handler, also when the handler failed
    reject_on_error,  ///< after the handler; if it failed, the message goes to the dead letters, if there are any
    nack_on_error,    ///< after the handler; if it failed, the message is delivered again later. The default
    manual,           ///< only when the handler says so; else the server delivers it again after `ack_wait`
};

/// Returns the policy's name: "ack_first", "ack"...
const char* to_string(AckPolicy policy) noexcept;

// A handler, or anything that it calls, may throw one of the following to end the handling of a message. Ack and Skip
// are no failures. Nack and Reject count as failed, are logged as errors, and answer a request with an error.

/// Acknowledges the message and sends nothing.
struct Ack {};

/// Has the message delivered again, after `delay`; with 0, the default, after the pause of js::Retry::backoff.
struct Nack {
    std::chrono::nanoseconds delay = {};
};

/// Gives the message up: it goes to the dead letters, if there are any, and is not delivered again.
struct Reject {
    std::string why = {};
};

/// Says that the message is not for this handler: it is acknowledged, as with Ack, and counted as skipped.
struct Skip {};

}  // namespace freshet
