// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/deduplicate.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <freshet/clock.hpp>
#include <freshet/detail/handler.hpp>

#include "delivery/subscriber_core.hpp"
#include "middleware/duplicates.hpp"

namespace freshet {

class Deduplicate::State {
public:
    enum class Seen : std::uint8_t { never, running, handled };

    /// A message as one subscriber gets it: if two subscribers get one message, both handle it.
    struct Key {
        std::uint64_t subscriber;
        std::string id;
        friend bool operator==(const Key&, const Key&) = default;
    };

    explicit State(DeduplicateOptions options) : options_{std::move(options)} {}
    const std::string& header() const noexcept { return options_.header; }

    /// Returns how far the handling of this message has come; if it was never seen, marks it as being handled.
    Seen begin(const Key& key, TimePoint now) {
        const std::lock_guard lock{mutex_};
        forget(now);
        const auto [found, added] = known_.try_emplace(key, false);
        if (added) return Seen::never;
        return found->second ? Seen::handled : Seen::running;
    }
    void end(const Key& key, bool handled, TimePoint now) {
        const std::lock_guard lock{mutex_};
        if (!handled) {
            known_.erase(key);
            return;
        }
        known_[key] = true;
        order_.emplace_back(now + options_.window, key);
    }

private:
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<std::string>{}(key.id) ^ (key.subscriber * 0x9e3779b97f4a7c15U);
        }
    };

    void forget(TimePoint now) {
        while (!order_.empty() && (order_.front().first <= now || order_.size() >= options_.max_ids)) {
            known_.erase(order_.front().second);
            order_.pop_front();
        }
    }

    const DeduplicateOptions options_;
    std::mutex mutex_ = {};
    std::unordered_map<Key, bool, Hash> known_ = {};  // true: handled; false: being handled
    std::deque<std::pair<TimePoint, Key>> order_ = {};
};

Deduplicate::Deduplicate(DeduplicateOptions options) : state_{std::make_shared<State>(std::move(options))} {}

Outcome Deduplicate::operator()(Context& context, Next next) {
    const auto header = context.message().header(state_->header());
    if (!header) return next(context);
    const State::Key key{detail::ContextAccess::subscriber(context).number(), std::string{*header}};
    switch (state_->begin(key, context.clock().now())) {
        case State::Seen::handled: return detail::handled_before(context, key.id);
        case State::Seen::running: return detail::being_handled(context, key.id);
        case State::Seen::never: break;
    }
    auto outcome = next(context);
    state_->end(key, outcome == Outcome::ack, context.clock().now());
    return outcome;
}

}  // namespace freshet
