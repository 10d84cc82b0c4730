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
    fresh,             ///< at the first message stored after the consumer was made; "new" on the wire
    last,              ///< at the last message
    last_per_subject,  ///< at the last message of each subject; then delivers what follows
    from_sequence,     ///< at ConsumerConfig::start_sequence
    from_time,         ///< at the first message stored at or after ConsumerConfig::start_time
};

/// Which messages a client must acknowledge.
enum class Acks : std::uint8_t {
    explicit_,  ///< each one
    none,       ///< none: a message counts as handled when the server has sent it
    all,        ///< one acknowledgement also covers all earlier messages
    /// A stream that copies another one acknowledges with its flow control what it has stored (ADR-60). For a consumer
    /// that SourceConsumer names, made with Consumer::declare and `deliver_subject`. Server 2.14.
    flow_control,
};

/// How fast the server delivers the messages stored so far.
enum class Replay : std::uint8_t {
    instant,   ///< as fast as the client takes them
    original,  ///< at the pace at which they were stored
};

/// How several clients share one pull consumer (ADR-42).
enum class PriorityPolicy : std::uint8_t {
    none,           ///< they take turns
    overflow,       ///< some clients get messages only while many wait. Server 2.11
    pinned_client,  ///< one client gets everything, the others stand by. Server 2.11
    prioritized,    ///< the client with the lowest priority number is served first. Server 2.12
};

/// The settings of a consumer that the server keeps. A setting left at its default is the server's default for a new
/// consumer, and is neither compared nor changed in an existing one.
struct ConsumerConfig {
    std::optional<Deliver> deliver = {};                                   ///< where a new one begins; default: all
    std::uint64_t start_sequence = 0;                                      ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    /// Delivers only messages on these subjects. Empty: the subscriber's subject, or everything for a consumer without
    /// a subscriber. Several need server 2.10, and must not overlap.
    std::vector<std::string> filter_subjects = {};
    std::optional<Acks> acks = {};          ///< default: explicit_
    std::optional<Replay> replay = {};      ///< default: instant
    bool headers_only = false;              ///< delivers no payloads; their size is in the header `Nats-Msg-Size`
    std::chrono::milliseconds ack_wait{0};  ///< delivers an unacknowledged message again after this time; 0: 30 s
    std::int64_t max_ack_pending = 0;       ///< most unacknowledged messages of all clients; 0: 1000, -1: no limit
    /// Most deliveries of one message; then the server silently stops delivering it; 0: no limit. Prefer
    /// Retry::max_attempts, which ends in a dead letter.
    std::int64_t max_deliver = 0;
    /// How long the server waits before each redelivery of an unacknowledged message, instead of ack_wait. For messages
    /// whose handler failed, use Retry::backoff. Needs a max_deliver larger than the number of these times.
    std::vector<std::chrono::milliseconds> backoff = {};
    /// The server removes the consumer after this time without a client; 0: never removes a durable one.
    std::chrono::milliseconds inactive_threshold{0};
    std::int64_t max_waiting = 0;                      ///< most pull requests that may wait; 0: 512
    std::int64_t max_request_batch = 0;                ///< most messages of one pull request; 0: no limit
    std::int64_t max_request_bytes = 0;                ///< most bytes of one pull request; 0: no limit
    std::chrono::milliseconds max_request_expires{0};  ///< longest wait of one pull request; 0: no limit
    std::int64_t rate_limit = 0;                       ///< bits per second of a push consumer; 0: no limit
    std::string sample_frequency = {};                 ///< percentage of acknowledgements to sample, such as "30%"
    int replicas = 0;                                  ///< servers that keep its state; 0: as many as for the stream
    bool memory_storage = false;                       ///< keeps its state in memory, whatever the stream does
    PriorityPolicy priority_policy = PriorityPolicy::none;  ///< how clients share it
    std::vector<std::string> priority_groups = {};          ///< names of its groups; with a policy, exactly one
    /// How long a pinned client may be silent before another takes over; 0: 2 minutes.
    std::chrono::milliseconds priority_timeout{0};
    /// A new consumer delivers nothing before this time. For an existing one use Consumer::pause and resume. Server
    /// 2.11.
    std::optional<std::chrono::system_clock::time_point> pause_until = {};
    std::string description = {};
    std::map<std::string, std::string> metadata = {};  ///< anything of yours. Server 2.10
    /// With Acks::flow_control: where the server sends the messages, as SourceConsumer::deliver_subject says. For push
    /// consumers of your own use js::Push.
    std::string deliver_subject = {};

    friend bool operator==(const ConsumerConfig&, const ConsumerConfig&) = default;
};

}  // namespace freshet::js
