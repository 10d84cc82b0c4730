// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <freshet/ack_policy.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::js {

/// This client among those that share a consumer with priority groups (ADR-42).
struct Priority {
    std::string group = {};        ///< one of ConsumerConfig::priority_groups
    std::int64_t min_pending = 0;  ///< overflow: get messages only while at least so many wait; 0: this does not count
    std::int64_t min_ack_pending =
        0;          ///< overflow: or while at least so many are unacknowledged; 0: this does not count
    int level = 0;  ///< prioritized: the lowest is served first, 0 to 9
};

/// A subscriber that pulls the messages of a JetStream consumer: `broker.subscriber<"orders.*">(js::Pull{...})`. The
/// server sends no more than asked for, so nothing is ever dropped; several programs with the same `durable` share the
/// messages. Survives restarts of the server: docs/jetstream-consumers.md.
struct Pull {
    StreamRef stream = {};     ///< its name, or a Stream to be declared
    std::string durable = {};  ///< the consumer's name: it stays when the program ends. This or `ephemeral`
    /// A consumer of this program alone, gone soon after it. Every start begins where ConsumerConfig::deliver says, so
    /// that must be set.
    bool ephemeral = false;
    Declare declare = Declare::create_if_missing;  ///< what to do about a durable consumer that is missing or different
    ConsumerConfig consumer = {};                  ///< what a new consumer is like, and which messages it delivers
    std::size_t workers = 1;                       ///< threads that run the handler; the subscriber has its own
    OrderKey ordered_by = {};  ///< with several workers: order kept per key, as SubscriberOptions has it
    std::optional<AckPolicy> ack_policy = {};  ///< default: nack_on_error
    Retry retry = {};                          ///< what to do with messages that a handler fails at
    Batch batch = {};                          ///< for handlers that take many at once
    /// Messages held ahead of the workers and being handled. 0: between 2 per worker and 4,096, as many as are handled
    /// within about half a second and hold less than 16 MiB; batches: at least two of them.
    std::size_t prefetch = 0;
    std::size_t prefetch_bytes = 0;  ///< the same in bytes, at most; 0: 16 MiB. A message larger than that comes alone
    Priority priority = {};
    std::chrono::milliseconds expires{30'000};   ///< how long one pull request waits at the server; at least 1 s
    std::chrono::milliseconds heartbeat{5'000};  ///< silence of twice this, and the consumer is looked after
    ContextOptions context = {};                 ///< which JetStream
};

/// What Broker::subscriber makes of it.
detail::SourceSpec make_source(Pull options);

}  // namespace freshet::js
