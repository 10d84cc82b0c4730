// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Options of Deduplicate.
struct DeduplicateOptions {
    std::string header = "Nats-Msg-Id";  ///< header with the id; a message without it is always handled
    std::chrono::nanoseconds window{120 * 1'000'000'000LL};  ///< how long an id is remembered; default: 2 minutes
    std::size_t max_ids = 100'000;                           ///< most ids remembered; the oldest are forgotten first
};

/// Acknowledges a message without handling it if the subscriber has handled its id before. An id counts as handled when
/// the outcome was ack. Each subscriber has its own ids. A second message that comes while the first is being handled
/// gets nack with a delay of one second. A request with an id that was handled, or is being handled, is answered with
/// error 409.
///
/// The messages of a batch are checked one by one: the handler gets those that were not handled before. What a handler
/// of a stream's message publishes counts, too: the id is handled when a stream has confirmed it.
///
/// The ids are in memory: each process has its own, and loses them when it ends. Processes share those of
/// kv::Deduplicate. Copies share their ids. Thread-safe.
class Deduplicate {
public:
    explicit Deduplicate(DeduplicateOptions options = {});
    Outcome operator()(Context& context, Next next);

private:
    class State;
    Outcome handle_batch(Context& context, Next next, const Items& items);
    std::shared_ptr<State> state_;
};

}  // namespace freshet
