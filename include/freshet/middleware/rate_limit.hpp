// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Options of RateLimit.
struct RateLimitOptions {
    double messages = 100;                          ///< messages let through in `per`, on average
    std::chrono::nanoseconds per{1'000'000'000LL};  ///< the time for `messages`; default: a second
    double burst = 0;                               ///< messages let through at once after a pause; 0: as `messages`
};

/// Refuses messages beyond a rate. A refused request is answered with error 429. A refused event of core NATS is lost
/// and counted as failed. A JetStream message waits for its turn in the handler's thread, so that it does not use up
/// its attempts. Copies share the rate. Thread-safe.
class RateLimit {
public:
    /// Throws Errc::bad_setup for a rate that is not above zero.
    explicit RateLimit(const RateLimitOptions& options);
    Outcome operator()(Context& context, Next next);

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace freshet
