// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

struct CircuitBreakerOptions {
    std::size_t failures = 5;                                 ///< in a row that open it
    std::chrono::nanoseconds open_for{30 * 1'000'000'000LL};  ///< then it refuses, and lets one message try
};

/// Spares what a handler depends on when it fails: after so many failures in a row messages are refused for a while. Then one
/// message is let through; if it is handled, all are again. A rejected message is no failure. Who asks gets error 503; an event
/// of core NATS is lost and counted as failed; a JetStream message waits in the handler's thread, so that it does not use up its
/// attempts. Copies share the state.
class CircuitBreaker {
public:
    explicit CircuitBreaker(const CircuitBreakerOptions& options = {});
    Outcome operator()(Context& context, Next next);

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace freshet
