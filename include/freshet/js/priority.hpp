// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace freshet::js {

/// What has happened to the pin of a priority group.
enum class PinEvent : std::uint8_t {
    gained,  ///< this client gets the messages of its group from now on
    lost,    ///< another client gets them, or may get them
};

/// The role of this client among those that share a consumer with priority groups (ADR-42).
struct Priority {
    std::string group = {};  ///< one of ConsumerConfig::priority_groups
    /// PriorityPolicy::overflow: this client gets messages only while at least so many wait; 0: this does not count.
    std::int64_t min_pending = 0;
    /// PriorityPolicy::overflow: or while at least so many are unacknowledged; 0: this does not count.
    std::int64_t min_ack_pending = 0;
    int level = 0;  ///< PriorityPolicy::prioritized: the client with the lowest is served first, 0 to 9
    /// PriorityPolicy::pinned_client: called when this client gets the pin or loses it, before the first message that
    /// comes with it. Runs on the thread that receives messages, so it must not block; exceptions are logged.
    std::function<void(PinEvent)> on_pin = {};
};

}  // namespace freshet::js
