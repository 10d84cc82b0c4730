// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/ack_policy.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/priority.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::js {

/// Makes a subscriber that pulls the messages of a JetStream consumer: `broker.subscriber<"orders.*">(js::Pull{...})`.
/// The server sends no more messages than freshet asks for, so none is dropped. Programs with the same `durable` share
/// the messages. The subscriber goes on after restarts of the server. See docs/jetstream-consumers.md.
struct Pull {
    StreamRef stream = {};     ///< name of the stream, or a js::Stream to declare
    std::string durable = {};  ///< name of a consumer that stays when the program ends. Set this or `ephemeral`
    /// Makes a consumer of this program alone, which the server removes soon after the program ends. Each start begins
    /// where ConsumerConfig::deliver says, so set that.
    bool ephemeral = false;
    Declare declare = Declare::create_if_missing;  ///< what to do about a durable consumer that is missing or different
    ConsumerConfig consumer = {};                  ///< settings that the server keeps, such as the messages to deliver
    std::size_t workers = 1;                       ///< threads of this subscriber that run the handler
    OrderKey ordered_by = {};  ///< with several workers: keeps the order of each key, see SubscriberOptions::ordered_by
    std::optional<AckPolicy> ack_policy = {};  ///< when messages are acknowledged; default: nack_on_error
    Retry retry = {};                          ///< what to do with messages whose handler fails
    Batch batch = {};                          ///< for handlers that take `std::span<const T>`
    /// Most messages held: those being handled and those that wait for a worker. 0: adapts itself between 2 per worker
    /// and 4,096 messages, to as many as are handled within about half a second and hold less than 16 MiB; with batches
    /// at least two batches.
    std::size_t prefetch = 0;
    std::size_t prefetch_bytes = 0;              ///< most bytes held; 0: 16 MiB. A message larger than that comes alone
    Priority priority = {};                      ///< for consumers with priority groups
    std::chrono::milliseconds expires{30'000};   ///< how long one pull request waits at the server; at least 1 s
    std::chrono::milliseconds heartbeat{5'000};  ///< after a silence of twice this, freshet checks the consumer
    ContextOptions context = {};                 ///< which JetStream to use
    /// How long freshet keeps the server from delivering a message again while its handler works on it. After this the
    /// message comes again, also elsewhere, since the handler may hang; a warning says so. Context::in_progress begins
    /// the time anew. 0: 5 minutes or ten times ack_wait, whichever is longer.
    std::chrono::milliseconds max_extension{0};
    /// What becomes of the broker if the consumer or stream is gone for good. Default: it goes on, and tries on.
    OnLost on_lost = OnLost::go_on;
    About about = {};  ///< what descriptions tell of the subscriber
};

detail::SourceSpec linked_source(Pull options);
/// Returns the source that Broker::subscriber starts. Called by freshet.
inline detail::SourceSpec make_source(Pull options) {
    link_the_target_freshet_jetstream();
    return linked_source(std::move(options));
}

}  // namespace freshet::js
