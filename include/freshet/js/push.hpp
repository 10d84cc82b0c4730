// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <freshet/about.hpp>
#include <freshet/ack_policy.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/retry.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::js {

/// Makes a subscriber of a push consumer: the server sends its messages without being asked. Use it for consumers that
/// other programs have made. Else use js::Pull, which is as fast and never gets more messages than it can hold.
/// Settlement, retries and recovery after restarts are those of js::Pull.
struct Push {
    StreamRef stream = {};     ///< name of the stream, or a js::Stream to declare
    std::string durable = {};  ///< name of a consumer that stays when the program ends. Set this or `ephemeral`
    bool ephemeral = false;    ///< makes a consumer of this program alone; set `consumer.deliver` then
    /// Queue group whose members share the messages of a durable consumer. Empty: only one subscriber may use the
    /// consumer.
    std::string queue = {};
    Declare declare = Declare::create_if_missing;  ///< what to do about a durable consumer that is missing or different
    ConsumerConfig consumer = {};  ///< settings that the server keeps; max_ack_pending limits what it sends ahead
    std::size_t workers = 1;       ///< threads of this subscriber that run the handler
    OrderKey ordered_by = {};      ///< with several workers: keeps the order of each key
    std::optional<AckPolicy> ack_policy = {};    ///< when messages are acknowledged; default: nack_on_error
    Retry retry = {};                            ///< what to do with messages whose handler fails
    Batch batch = {};                            ///< for handlers that take `std::span<const T>`
    bool flow_control = true;                    ///< the server waits for the handlers; not possible with a `queue`
    std::chrono::milliseconds heartbeat{5'000};  ///< after a silence of twice this, freshet checks the consumer
    ContextOptions context = {};                 ///< which JetStream to use
    std::chrono::milliseconds max_extension{0};  ///< as Pull::max_extension; 0: 5 minutes or ten times ack_wait
    /// What becomes of the broker if the consumer or stream is gone for good. Default: it goes on, and tries on.
    OnLost on_lost = OnLost::go_on;
    About about = {};  ///< what descriptions tell of the subscriber
};

detail::SourceSpec linked_source(Push options);
/// Returns the source that Broker::subscriber starts. Called by freshet.
inline detail::SourceSpec make_source(Push options) {
    link_the_target_freshet_jetstream();
    return linked_source(std::move(options));
}

}  // namespace freshet::js
