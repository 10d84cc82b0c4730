// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/settlement.hpp"

#include <algorithm>

namespace freshet::detail {

namespace {

// Deliveries are far more than the attempts if they are more than `factor` times as many, and more than `least_margin`
// above them.
constexpr std::uint64_t least_margin = 10;
constexpr std::uint64_t factor = 4;

/// Returns whether the deliveries are far more than the attempts.
bool far_beyond(std::uint64_t deliveries, std::uint64_t attempts) {
    return deliveries / factor >= attempts && deliveries > factor * attempts && deliveries - attempts > least_margin;
}

}  // namespace

Action Settlement::before(std::uint64_t deliveries) const {
    if (retry_.max_attempts != 0 && far_beyond(deliveries, retry_.max_attempts)) return give_up(deliveries);
    return {policy_ == AckPolicy::ack_first ? Action::Kind::ack : Action::Kind::none};
}

Action Settlement::after(Ending ending, const Outcome& outcome, const Tries& tries) const {
    if (ending == Ending::poison) return give_up(tries.attempts);
    if (policy_ == AckPolicy::ack_first) return {};
    if (ending == Ending::decided) return follow(outcome, tries);
    if (policy_ == AckPolicy::manual) return {};
    if (ending == Ending::succeeded || policy_ == AckPolicy::ack) return {Action::Kind::ack};
    const bool once = ending == Ending::declined || policy_ == AckPolicy::reject_on_error;
    return once ? give_up(tries.attempts) : again(tries);
}

Action Settlement::follow(const Outcome& outcome, const Tries& tries) const {
    switch (outcome.kind()) {
        case Outcome::Kind::ack: return {Action::Kind::ack};
        case Outcome::Kind::term: return give_up(tries.attempts);
        case Outcome::Kind::nack: break;
    }
    if (spent(tries)) return give_up(tries.attempts);
    return {Action::Kind::nak, outcome.delay().count() > 0 ? outcome.delay() : backoff(tries.attempts)};
}

Action Settlement::again(const Tries& tries) const {
    return spent(tries) ? give_up(tries.attempts) : Action{Action::Kind::nak, backoff(tries.attempts)};
}

Action Settlement::give_up(std::uint64_t attempts) const {
    if (retry_.dead_letter.empty()) return {Action::Kind::term};
    return {Action::Kind::dead_letter, backoff(attempts)};
}

bool Settlement::spent(const Tries& tries) const noexcept {
    if (retry_.max_attempts == 0) return false;
    return tries.attempts >= retry_.max_attempts || far_beyond(tries.deliveries, retry_.max_attempts);
}

std::chrono::nanoseconds Settlement::backoff(std::uint64_t attempts) const noexcept {
    if (retry_.backoff.empty()) return {};
    const auto last = retry_.backoff.size() - 1;
    return retry_.backoff[std::min<std::uint64_t>(attempts == 0 ? 0 : attempts - 1, last)];
}

}  // namespace freshet::detail
