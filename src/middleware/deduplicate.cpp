// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/deduplicate.hpp>

#include <chrono>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <freshet/clock.hpp>

namespace freshet {

class Deduplicate::State {
public:
    enum class Seen : std::uint8_t { never, running, handled };

    explicit State(DeduplicateOptions options) : options_{std::move(options)} {}
    const std::string& header() const noexcept { return options_.header; }

    /// Also says that it is being handled from now on, if it never was.
    Seen begin(const std::string& id, TimePoint now) {
        const std::lock_guard lock{mutex_};
        forget(now);
        const auto [found, added] = known_.try_emplace(id, false);
        if (added) return Seen::never;
        return found->second ? Seen::handled : Seen::running;
    }
    void end(const std::string& id, bool handled, TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!handled) {
            known_.erase(id);
            return;
        }
        known_[id] = true;
        order_.emplace_back(now + options_.window, id);
    }

private:
    void forget(TimePoint now) {
        while (!order_.empty() && (order_.front().first <= now || order_.size() >= options_.max_ids)) {
            known_.erase(order_.front().second);
            order_.pop_front();
        }
    }

    const DeduplicateOptions options_;
    std::mutex mutex_ = {};
    std::unordered_map<std::string, bool> known_ = {};  // whether it was handled
    std::deque<std::pair<TimePoint, std::string>> order_ = {};
};

Deduplicate::Deduplicate(DeduplicateOptions options) : state_{std::make_shared<State>(std::move(options))} {}

Outcome Deduplicate::operator()(Context& context, Next next) {
    const auto header = context.message().header(state_->header());
    if (!header) return next(context);
    const std::string id{*header};
    switch (state_->begin(id, context.clock().now())) {
        case State::Seen::handled: return Outcome{Outcome::ack};
        case State::Seen::running: return Outcome::nack(std::chrono::seconds{1});
        case State::Seen::never: break;
    }
    auto outcome = next(context);
    state_->end(id, outcome == Outcome::ack, context.clock().now());
    return outcome;
}

}  // namespace freshet
