// SPDX-License-Identifier: Apache-2.0
// The words of a consumer's protocol (ADR-13, ADR-37, ADR-42).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <freshet/js/priority.hpp>

namespace freshet::detail {

class JsApi;

inline constexpr std::string_view ack_word = "+ACK";
inline constexpr std::string_view nak_word = "-NAK";
inline constexpr std::string_view term_word = "+TERM";
inline constexpr std::string_view progress_word = "+WPI";

/// Returns the text that asks for a message again after `delay`; 0: at once.
std::string nak_text(std::chrono::nanoseconds delay);

/// Returns the API's operation on a consumer; `verb` is `INFO` or `MSG.NEXT`.
std::string consumer_operation(std::string_view verb, std::string_view stream, std::string_view name);

/// A request for messages. Fields that are 0 or empty are left out, but `batch` is not.
struct NextRequest {
    std::size_t batch = 1;
    std::chrono::nanoseconds expires = {};  ///< 0: the server ends the request when it has no more messages
    std::chrono::nanoseconds heartbeat = {};
    std::size_t max_bytes = 0;
    std::string_view group = {};  ///< of a consumer with priority groups
    std::string_view pin = {};
    std::int64_t min_pending = 0;
    std::int64_t min_ack_pending = 0;
    int priority = 0;

    /// Asks as this member of a priority group. Keeps a view of its group.
    NextRequest& as(const js::Priority& member);
    std::string body() const;
};

/// Has the server delete a consumer that is not used any more, without waiting for that. Without it the server does so
/// later.
void forget_consumer(const JsApi& api, std::string_view stream, std::string_view name);

}  // namespace freshet::detail
