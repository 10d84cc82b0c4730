// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>

namespace freshet::js {

/// Where in its stream a new consumer begins.
enum class Deliver : std::uint8_t {
    all,               ///< at the first message that the stream has
    fresh,             ///< with the first message stored after the consumer was made; "new" on the wire
    last,              ///< at the last message
    last_per_subject,  ///< with the last message of each subject, then what follows
    from_sequence,     ///< at ConsumerConfig::start_sequence
    from_time,         ///< at the first message stored at or after ConsumerConfig::start_time
};

/// Which messages the server wants acknowledged.
enum class Acks : std::uint8_t {
    explicit_,  ///< each one
    none,       ///< none: a message counts as handled once it was sent
    all,        ///< one acknowledges all before it, too
};

/// How fast the messages stored so far are delivered.
enum class Replay : std::uint8_t {
    instant,   ///< as fast as they are taken
    original,  ///< at the pace at which they were stored
};

/// How several clients share one pull consumer (ADR-42).
enum class PriorityPolicy : std::uint8_t {
    none,           ///< each gets its turn
    overflow,       ///< some get messages only when many wait. Server 2.11
    pinned_client,  ///< one gets everything, the others stand by. Server 2.11
    prioritized,    ///< the lowest priority number is served first. Server 2.12
};

/// The settings of a consumer, as the server keeps them. What is left at its default is left to the server, and neither
/// compared nor changed when the consumer exists.
struct ConsumerConfig {
    std::optional<Deliver> deliver = {};                                   ///< where a new one begins; default: all
    std::uint64_t start_sequence = 0;                                      ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    /// Only messages on these subjects. Empty: the subscriber's subject; everything, for a consumer made without one.
    /// More than one needs server 2.10, and they must not overlap.
    std::vector<std::string> filter_subjects = {};
    std::optional<Acks> acks = {};          ///< default: explicit_
    std::optional<Replay> replay = {};      ///< default: instant
    bool headers_only = false;              ///< deliver no payloads; their size is in the header `Nats-Msg-Size`
    std::chrono::milliseconds ack_wait{0};  ///< until an unacknowledged message is delivered again; 0: 30 s
    std::int64_t max_ack_pending = 0;       ///< unacknowledged messages of all clients together; 0: 1000, -1: no limit
    /// Deliveries of one message, after which the server says no more of it; 0: no limit. Retry::max_attempts is better: it
    /// ends in a dead letter.
    std::int64_t max_deliver = 0;
    /// How long the server waits before each redelivery of a message that was not acknowledged, instead of ack_wait. Not
    /// for messages that a handler failed at: that is Retry::backoff. Needs a max_deliver larger than their number.
    std::vector<std::chrono::milliseconds> backoff = {};
    std::chrono::milliseconds inactive_threshold{0};  ///< removed after so long without a client; 0: durable ones never
    std::int64_t max_waiting = 0;                     ///< pull requests that may wait; 0: 512
    std::int64_t max_request_batch = 0;               ///< the most messages of one pull request; 0: any
    std::int64_t max_request_bytes = 0;               ///< the most bytes of one pull request; 0: any
    std::chrono::milliseconds max_request_expires{0};  ///< the longest wait of one pull request; 0: any
    std::int64_t rate_limit = 0;                       ///< bits per second of a push consumer; 0: none
    std::string sample_frequency = {};                 ///< percentage of acknowledgements observed, such as "30%"
    int replicas = 0;                                  ///< 0: as the stream
    bool memory_storage = false;                       ///< keep its state in memory, whatever the stream does
    PriorityPolicy priority_policy = PriorityPolicy::none;
    std::vector<std::string> priority_groups = {};  ///< today exactly one, with a policy
    /// How long a pinned client may be silent; 0: 2 minutes.
    std::chrono::milliseconds priority_timeout{0};
    /// Deliver nothing before; for a new consumer. Later: pause and resume. Server 2.11.
    std::optional<std::chrono::system_clock::time_point> pause_until = {};
    std::string description = {};
    std::map<std::string, std::string> metadata = {};  ///< anything of yours. Server 2.10

    friend bool operator==(const ConsumerConfig&, const ConsumerConfig&) = default;
};

}  // namespace freshet::js
