// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::js {

/// Makes a subscriber that reads a stream from some point on: every message exactly once, in order, without
/// acknowledgements. A handler that fails does not get the message again. The server keeps no state for it. After a
/// gap, a missed heartbeat or a restart of the server, freshet makes the consumer anew and goes on where it was.
struct Ordered {
    StreamRef stream = {};             ///< name of the stream, or a js::Stream to declare at the start
    Deliver deliver = Deliver::all;    ///< where to begin, at each start of the program
    std::uint64_t start_sequence = 0;  ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    std::vector<std::string> filter_subjects = {};  ///< empty: the subscriber's subject. Several need server 2.10
    bool headers_only = false;                      ///< delivers no payloads
    Replay replay = Replay::instant;                ///< how fast stored messages are delivered
    std::size_t prefetch = 512;                  ///< messages requested ahead of the handler; they hold 8 MiB at most
    std::chrono::milliseconds heartbeat{5'000};  ///< after a silence of twice this, freshet makes the consumer anew
    ContextOptions context = {};                 ///< which JetStream to use
    /// What becomes of the broker if the stream is gone for good. Default: it goes on, and tries on.
    OnLost on_lost = OnLost::go_on;
    About about = {};  ///< what descriptions tell of the subscriber
};

detail::SourceSpec linked_source(Ordered options);
/// Returns the source that Broker::subscriber starts. Called by freshet.
inline detail::SourceSpec make_source(Ordered options) {
    link_the_target_freshet_jetstream();
    return linked_source(std::move(options));
}

}  // namespace freshet::js
