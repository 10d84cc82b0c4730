// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/settlement.hpp"

#include <algorithm>

namespace freshet::detail {

Action Settlement::before(std::uint64_t deliveries) const {
    if (retry_.max_attempts != 0 && deliveries > retry_.max_attempts) return give_up(deliveries);
    return {policy_ == AckPolicy::ack_first ? Action::Kind::ack : Action::Kind::none};
}

Action Settlement::after(Ending ending, const Outcome& outcome, std::uint64_t deliveries) const {
    if (ending == Ending::poison) return give_up(deliveries);
    if (policy_ == AckPolicy::ack_first) return {};
    if (ending == Ending::said) return follow(outcome, deliveries);
    if (policy_ == AckPolicy::manual) return {};
    if (ending == Ending::succeeded || policy_ == AckPolicy::ack) return {Action::Kind::ack};
    return policy_ == AckPolicy::reject_on_error ? give_up(deliveries) : again(deliveries);
}

Action Settlement::follow(const Outcome& outcome, std::uint64_t deliveries) const {
    switch (outcome.kind()) {
        case Outcome::Kind::ack: return {Action::Kind::ack};
        case Outcome::Kind::term: return give_up(deliveries);
        case Outcome::Kind::nack: break;
    }
    if (spent(deliveries)) return give_up(deliveries);
    return {Action::Kind::nak, outcome.delay().count() > 0 ? outcome.delay() : backoff(deliveries)};
}

Action Settlement::again(std::uint64_t deliveries) const {
    return spent(deliveries) ? give_up(deliveries) : Action{Action::Kind::nak, backoff(deliveries)};
}

Action Settlement::give_up(std::uint64_t deliveries) const {
    if (retry_.dead_letter.empty()) return {Action::Kind::term};
    return {Action::Kind::dead_letter, backoff(deliveries)};
}

bool Settlement::spent(std::uint64_t deliveries) const noexcept {
    return retry_.max_attempts != 0 && deliveries >= retry_.max_attempts;
}

std::chrono::nanoseconds Settlement::backoff(std::uint64_t deliveries) const noexcept {
    if (retry_.backoff.empty()) return {};
    const auto last = retry_.backoff.size() - 1;
    return retry_.backoff[std::min<std::uint64_t>(deliveries == 0 ? 0 : deliveries - 1, last)];
}

}  // namespace freshet::detail
