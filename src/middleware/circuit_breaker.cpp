// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include <freshet/clock.hpp>

namespace freshet {

class CircuitBreaker::State {
public:
    explicit State(const CircuitBreakerOptions& options) noexcept : options_{options} {}

    /// Nothing: the message may pass. Else how long it is refused.
    std::optional<std::chrono::nanoseconds> refused(TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!open_until_) return std::nullopt;
        if (now < *open_until_) return *open_until_ - now;
        open_until_ = now + options_.open_for;  // for the others, while this one tries
        return std::nullopt;
    }
    void report(bool failed, TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!failed) {
            failures_ = 0;
            open_until_.reset();
        } else if (++failures_ >= options_.failures) {
            open_until_ = now + options_.open_for;
        }
    }

private:
    const CircuitBreakerOptions options_;
    std::mutex mutex_ = {};
    std::size_t failures_ = 0;  // in a row
    std::optional<TimePoint> open_until_ = {};
};

CircuitBreaker::CircuitBreaker(const CircuitBreakerOptions& options) : state_{std::make_shared<State>(options)} {}

Outcome CircuitBreaker::operator()(Context& context, Next next) {
    if (const auto wait = state_->refused(context.clock().now())) {
        std::ignore = context.fail(RemoteError{503, "the service is recovering from failures; try again later"});
        return Outcome::nack(std::max(*wait, std::chrono::nanoseconds{1}));
    }
    auto outcome = next(context);
    if (outcome != Outcome::term()) state_->report(outcome != Outcome::ack, context.clock().now());
    return outcome;
}

}  // namespace freshet
