// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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

/// A subscriber to whom the server sends the messages of a JetStream consumer by itself. js::Pull does all of this as fast, and the
/// server never sends it more than it can hold: use js::Push for consumers that other programs have made so.
/// Settles, retries and survives restarts as js::Pull does.
struct Push {
    StreamRef stream = {};     ///< its name, or a Stream to be declared
    std::string durable = {};  ///< the consumer's name: it stays when the program ends. This or `ephemeral`
    bool ephemeral = false;    ///< a consumer of this program alone; then `consumer.deliver` must be set
    /// Members of the same group share the messages of a durable consumer. Empty: there can be one subscriber only.
    std::string queue = {};
    Declare declare = Declare::create_if_missing;  ///< what to do about a durable consumer that is missing or different
    ConsumerConfig consumer = {};  ///< what a new consumer is like; max_ack_pending bounds what it sends ahead
    std::size_t workers = 1;       ///< threads that run the handler; the subscriber has its own
    OrderKey ordered_by = {};      ///< with several workers: order kept per key
    std::optional<AckPolicy> ack_policy = {};  ///< default: nack_on_error
    Retry retry = {};                          ///< what to do with messages that a handler fails at
    Batch batch = {};                          ///< for handlers that take `std::span<const T>`
    bool flow_control = true;  ///< the server waits for the handlers; not with a `queue`, where it cannot
    std::chrono::milliseconds heartbeat{5'000};  ///< silence of twice this, and the consumer is looked after
    ContextOptions context = {};                 ///< which JetStream
};

/// What Broker::subscriber makes of it.
detail::SourceSpec make_source(Push options);

}  // namespace freshet::js
