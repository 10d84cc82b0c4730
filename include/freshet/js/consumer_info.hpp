// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/stream.hpp>

namespace freshet::js {

/// Describes a consumer as the server knows it.
struct ConsumerInfo {
    std::string stream = {};
    std::string name = {};
    bool durable = false;
    bool push = false;  ///< the server sends its messages to a subject without being asked
    ConsumerConfig config = {};
    std::chrono::system_clock::time_point created = {};
    std::uint64_t delivered_consumer_sequence = 0;
    std::uint64_t delivered_stream_sequence = 0;
    std::uint64_t ack_floor_consumer_sequence = 0;  ///< all deliveries up to this one are settled
    std::uint64_t ack_floor_stream_sequence = 0;
    std::uint64_t ack_pending = 0;  ///< messages delivered and not settled
    std::uint64_t redelivered = 0;  ///< messages of ack_pending that were delivered more than once
    std::uint64_t waiting = 0;      ///< pull requests that wait for messages
    std::uint64_t pending = 0;      ///< messages not delivered yet
    bool paused = false;
    std::chrono::nanoseconds pause_remaining = {};
    std::string pinned_client = {};  ///< PriorityPolicy::pinned_client: id of the client that gets the messages
    std::optional<ClusterInfo> cluster = {};
};

}  // namespace freshet::js
