// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

struct DeduplicateOptions {
    std::string header = "Nats-Msg-Id";  ///< where a message's id is; one without it is always handled
    std::chrono::nanoseconds window{120 * 1'000'000'000LL};  ///< how long an id is remembered
    std::size_t max_ids = 100'000;                           ///< more are not remembered: the oldest go first
};

/// Acknowledges a message whose id was handled before without handling it again. Each subscriber counts for itself, and an id
/// counts as handled when the outcome was ack; a second message that comes while the first is being handled gets nack after a
/// second. Who asks with an id that was handled, or is, is told so: error 409. Remembers in memory: per process, lost with it;
/// kv::Deduplicate is shared by processes. A batch is not looked into. Copies share what they remember.
class Deduplicate {
public:
    explicit Deduplicate(DeduplicateOptions options = {});
    Outcome operator()(Context& context, Next next);

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace freshet
