// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <freshet/context.hpp>
#include <freshet/middleware.hpp>

namespace freshet {

/// Options of CircuitBreaker.
struct CircuitBreakerOptions {
    std::size_t failures = 5;                                 ///< failures in a row after which it refuses messages
    std::chrono::nanoseconds open_for{30 * 1'000'000'000LL};  ///< how long it refuses them before one may try
};

/// Refuses messages for a while after several failures in a row, to spare the services that a failing handler depends
/// on. Then it lets one message through; if that one is handled, it lets all through again. A rejected message does not
/// count as a failure, and a request that is answered with an error of 400 to 499 counts as handled.
///
/// A refused request is answered with error 503. A refused event of core NATS is lost and counted as failed. A
/// JetStream message waits in the handler's thread, so that it does not use up its attempts. Copies share the state.
/// Thread-safe.
class CircuitBreaker {
public:
    explicit CircuitBreaker(const CircuitBreakerOptions& options = {});
    Outcome operator()(Context& context, Next next);

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace freshet
