// SPDX-License-Identifier: Apache-2.0
#include <freshet/events.hpp>

namespace freshet {

const char* to_string(ConnectionEvent::Kind kind) noexcept {
    using Kind = ConnectionEvent::Kind;
    switch (kind) {
        case Kind::waiting: return "waiting";
        case Kind::connected: return "connected";
        case Kind::disconnected: return "disconnected";
        case Kind::reconnected: return "reconnected";
        case Kind::lame_duck: return "lame_duck";
        case Kind::slow_consumer: return "slow_consumer";
        case Kind::error: return "error";
        case Kind::closed: return "closed";
    }
    return "unknown";
}

}  // namespace freshet
