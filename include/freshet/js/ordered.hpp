// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/stream_ref.hpp>
#include <freshet/subscriber.hpp>

namespace freshet::js {

/// A subscriber that reads a stream from some point on, every message exactly once and in order, without acknowledging any: a
/// handler that fails does not get the message again. The server keeps nothing for it; when something is lost (a gap, a
/// missed heartbeat, a restart of the server) the consumer is made anew where it stood.
struct Ordered {
    StreamRef stream = {};             ///< its name, or a Stream to be declared at the start
    Deliver deliver = Deliver::all;    ///< where to begin, at each start of the program
    std::uint64_t start_sequence = 0;  ///< with Deliver::from_sequence
    std::optional<std::chrono::system_clock::time_point> start_time = {};  ///< with Deliver::from_time
    std::vector<std::string> filter_subjects = {};  ///< empty: the subscriber's subject. Several need server 2.10
    bool headers_only = false;                      ///< deliver no payloads
    Replay replay = Replay::instant;
    std::size_t prefetch = 512;                  ///< messages asked for ahead of the handler
    std::chrono::milliseconds heartbeat{5'000};  ///< silence of twice this, and the consumer is made anew
    ContextOptions context = {};                 ///< which JetStream
};

/// What Broker::subscriber makes of it.
detail::SourceSpec make_source(Ordered options);

}  // namespace freshet::js
