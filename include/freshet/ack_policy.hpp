// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// When a JetStream message is acknowledged. What the handler says itself wins: an Outcome it returns, a call on its
/// Context, an Ack, Nack, Reject or Skip it throws. The whole table: docs/jetstream-consumers.md#settlement.
/// On core NATS there is nothing to acknowledge, and the policy means nothing.
enum class AckPolicy : std::uint8_t {
    ack_first,        ///< before the handler runs: each message at most once, lost if the handler fails
    ack,              ///< after the handler, also when it failed
    reject_on_error,  ///< after the handler; when it failed the message is given up: to the dead letters, if there are any
    nack_on_error,  ///< after the handler; when it failed the message is delivered again, later. The default
    manual,         ///< only when the handler says so; else the server delivers it again after `ack_wait`
};

/// "ack_first", "ack"...
const char* to_string(AckPolicy policy) noexcept;

// What a handler, or anything it calls, may throw to end the handling of a message. None of them counts as a failure of
// the program: nothing is logged as an error for Ack and Skip.

/// Done: acknowledge it, send nothing.
struct Ack {};

/// Deliver it again, after `delay`; 0: as failed ones, see js::Retry::backoff.
struct Nack {
    std::chrono::nanoseconds delay = {};
};

/// Never again: to the dead letters, if there are any.
struct Reject {
    std::string why = {};
};

/// Not for this handler: acknowledged like Ack, and counted as skipped rather than handled.
struct Skip {};

}  // namespace freshet
