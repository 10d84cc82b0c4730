// SPDX-License-Identifier: Apache-2.0
#include <freshet/ack_policy.hpp>

namespace freshet {

const char* to_string(AckPolicy policy) noexcept {
    switch (policy) {
        case AckPolicy::ack_first: return "ack_first";
        case AckPolicy::ack: return "ack";
        case AckPolicy::reject_on_error: return "reject_on_error";
        case AckPolicy::nack_on_error: return "nack_on_error";
        case AckPolicy::manual: return "manual";
    }
    return "unknown";
}

}  // namespace freshet
