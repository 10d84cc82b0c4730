// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/rate_limit.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include <freshet/clock.hpp>

#include "middleware/hold.hpp"

namespace freshet {

/// A bucket of tokens, of which each message takes one.
class RateLimit::State {
public:
    explicit State(const RateLimitOptions& options)
        : per_second_{options.messages / std::chrono::duration<double>(options.per).count()},
          capacity_{std::max(1.0, options.burst > 0 ? options.burst : options.messages)},
          tokens_{capacity_} {}

    /// Returns 0 if the message may pass, else how long to wait for the next token.
    std::chrono::nanoseconds take(TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (last_) {
            const double passed = std::chrono::duration<double>(now - *last_).count();
            tokens_ = std::min(capacity_, tokens_ + passed * per_second_);
        }
        last_ = now;
        if (tokens_ >= 1) {
            tokens_ -= 1;
            return {};
        }
        return std::chrono::ceil<std::chrono::nanoseconds>(std::chrono::duration<double>((1 - tokens_) / per_second_));
    }

private:
    const double per_second_;
    const double capacity_;
    std::mutex mutex_ = {};
    double tokens_;
    std::optional<TimePoint> last_ = {};
};

RateLimit::RateLimit(const RateLimitOptions& options) {
    if (!(options.messages > 0) || options.per.count() <= 0)
        raise({Errc::bad_setup, "RateLimit: `messages` and `per` must be above zero"});
    state_ = std::make_shared<State>(options);
}

Outcome RateLimit::operator()(Context& context, Next next) {
    const auto wait = state_->take(context.clock().now());
    if (wait.count() == 0) return next(context);
    if (detail::can_wait(context)) {
        const bool passes = detail::hold(context, wait, [this](TimePoint now) { return state_->take(now); });
        return passes ? next(context) : Outcome::nack();
    }
    std::ignore = context.fail(RemoteError{429, "too many messages; try again later"});
    return Outcome::nack(wait);
}

}  // namespace freshet
