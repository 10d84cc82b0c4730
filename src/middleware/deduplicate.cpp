// SPDX-License-Identifier: Apache-2.0
#include <freshet/middleware/deduplicate.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/clock.hpp>
#include <freshet/detail/handler.hpp>

#include "delivery/confirmations.hpp"
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
    if (const auto* const items = context.get<Items>()) return handle_batch(context, std::move(next), *items);
    const auto header = context.message().header(state_->header());
    if (!header) return next(context);
    const State::Key key{detail::ContextAccess::subscriber(context).number(), std::string{*header}};
    switch (state_->begin(key, context.clock().now())) {
        case State::Seen::handled: return detail::handled_before(context, key.id);
        case State::Seen::running: return detail::being_handled(context, key.id);
        case State::Seen::never: break;
    }
    auto outcome = next(context);
    const auto confirmations = detail::confirmations_of(context);
    if (outcome == Outcome::ack && confirmations != nullptr) {
        confirmations->when_known([state = state_, key, &clock = context.clock()](const Error* unconfirmed) {
            state->end(key, unconfirmed == nullptr, clock.now());
        });
    } else {
        state_->end(key, outcome == Outcome::ack, context.clock().now());
    }
    return outcome;
}

Outcome Deduplicate::handle_batch(Context& context, Next next, const Items& items) {
    const auto subscriber = detail::ContextAccess::subscriber(context).number();
    std::vector<Item*> left;
    std::vector<std::pair<Item*, State::Key>> begun;
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto& item = items[i];
        const auto header = item.message().header(state_->header());
        if (header) {
            State::Key key{subscriber, std::string{*header}};
            const auto seen = state_->begin(key, context.clock().now());
            if (seen == State::Seen::handled) item.ack();
            if (seen == State::Seen::running) item.nack(detail::pause_while_handled);
            if (seen != State::Seen::never) continue;
            begun.emplace_back(&item, std::move(key));
        }
        left.push_back(&item);
    }
    if (left.empty()) return Outcome::ack;
    detail::narrow_batch(context, std::move(left));
    auto outcome = next(context);
    for (const auto& [item, key] : begun) state_->end(key, detail::is_acked(*item, outcome), context.clock().now());
    return outcome;
}

}  // namespace freshet
