// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/circuit_breaker.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include <freshet/clock.hpp>

#include "base/error_state.hpp"
#include "middleware/hold.hpp"

namespace freshet {
namespace {

/// Returns true if the handler answered on purpose that it does not do what was asked.
bool declined(const Context& context) noexcept {
    return context.failure() != nullptr && detail::declines(*context.failure());
}

}  // namespace

class CircuitBreaker::State {
public:
    explicit State(const CircuitBreakerOptions& options) noexcept : options_{options} {}

    /// Returns true if the breaker is closed and nothing has failed since the last success: then there is nothing to
    /// ask, and no success to report.
    bool calm() const noexcept { return calm_.load(std::memory_order_relaxed); }

    /// Returns 0 if the message may pass, else how long it is refused.
    std::chrono::nanoseconds refused(TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!open_until_) return {};
        if (now < *open_until_) return *open_until_ - now;
        open_until_ = now + options_.open_for;  // keeps the others out while this message tries
        return {};
    }
    void report(bool failed, TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!failed) {
            failures_ = 0;
            open_until_.reset();
        } else if (++failures_ >= options_.failures) {
            open_until_ = now + options_.open_for;
        }
        calm_.store(!failed, std::memory_order_relaxed);
    }

private:
    const CircuitBreakerOptions options_;
    std::mutex mutex_ = {};
    std::size_t failures_ = 0;  // failures in a row
    std::optional<TimePoint> open_until_ = {};
    std::atomic<bool> calm_ = true;
};

CircuitBreaker::CircuitBreaker(const CircuitBreakerOptions& options) : state_{std::make_shared<State>(options)} {}

Outcome CircuitBreaker::operator()(Context& context, Next next) {
    if (state_->calm()) {
        auto outcome = next(context);
        if (outcome == Outcome::nack() && !declined(context)) state_->report(true, context.clock().now());
        return outcome;
    }
    if (const auto wait = state_->refused(context.clock().now()); wait.count() > 0) {
        if (!detail::can_wait(context)) {
            std::ignore = context.fail(RemoteError{503, "the service is recovering from failures; try again later"});
            return Outcome::nack(wait);
        }
        const bool passes = detail::hold(context, wait, [this](TimePoint now) { return state_->refused(now); });
        if (!passes) return Outcome::nack();
    }
    auto outcome = next(context);
    if (declined(context)) state_->report(false, context.clock().now());
    else if (outcome != Outcome::term()) state_->report(outcome != Outcome::ack, context.clock().now());
    return outcome;
}

}  // namespace freshet
