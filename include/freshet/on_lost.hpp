// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace freshet {

/// What becomes of the broker when one of its subscribers is lost for good: the server refuses its subscription after a
/// reconnect or takes the right to it away, or its consumer, stream or bucket is gone and freshet may not or cannot
/// make it anew. A server that is away or does not answer is no such loss.
enum class OnLost : std::uint8_t {
    go_on,      ///< the broker goes on without it, and Broker::health() names it; freshet tries on
    fail_fast,  ///< the broker stops: Broker::run throws the reason, App::run logs it and returns 1
};

}  // namespace freshet
