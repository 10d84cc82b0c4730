// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/stream.hpp>

namespace freshet::js {

/// A consumer as the server describes it.
struct ConsumerInfo {
    std::string stream = {};
    std::string name = {};
    bool durable = false;
    bool push = false;  ///< it sends to a subject by itself
    ConsumerConfig config = {};
    std::chrono::system_clock::time_point created = {};
    std::uint64_t delivered_consumer_sequence = 0;
    std::uint64_t delivered_stream_sequence = 0;
    std::uint64_t ack_floor_consumer_sequence = 0;  ///< everything up to here is settled
    std::uint64_t ack_floor_stream_sequence = 0;
    std::uint64_t ack_pending = 0;  ///< delivered and not settled
    std::uint64_t redelivered = 0;  ///< of those: more than once
    std::uint64_t waiting = 0;      ///< pull requests
    std::uint64_t pending = 0;      ///< messages yet to be delivered
    bool paused = false;
    std::chrono::nanoseconds pause_remaining = {};
    std::string pinned_client = {};  ///< with PriorityPolicy::pinned_client: who gets the messages
    std::optional<ClusterInfo> cluster = {};
};

}  // namespace freshet::js
