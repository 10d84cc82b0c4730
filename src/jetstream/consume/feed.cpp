// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/feed.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/may_wait.hpp"
#include "base/quoted.hpp"
#include "jetstream/consume/consumer_protocol.hpp"

namespace freshet::detail {
namespace {

// The most entries that are remembered of each kind.
constexpr std::size_t most_given_back = 10'000;
constexpr std::size_t most_attempted = 10'000;
// What became of messages is reported this many at a time while others are in hand, or after this time.
constexpr std::size_t report_size = 32;
constexpr std::chrono::milliseconds report_pause{1};
constexpr std::chrono::nanoseconds least_extension = std::chrono::minutes{5};

Ending ending_of(const Handled& handled) {
    if (handled.rejected) return Ending::poison;
    if (handled.decided) return Ending::decided;
    if (handled.declined) return Ending::declined;
    if (handled.failure != nullptr) return Ending::failed;
    return handled.outcome == Outcome::ack ? Ending::succeeded : Ending::decided;
}

template <class Container>
void keep_at_most(Container& container, std::size_t most) {
    if (container.size() > most) container.erase(std::prev(container.end()));
}

}  // namespace

Feed::Feed(Link& link, Settlement settlement, std::string who, std::shared_ptr<MessageSink> sink, Calls calls)
    : link_{link},
      settlement_{std::move(settlement)},
      who_{std::move(who)},
      calls_{std::move(calls)},
      acknowledger_{link, who_},
      sink_{std::move(sink)} {}

void Feed::set_ack_wait(std::chrono::nanoseconds ack_wait, std::chrono::nanoseconds max_extension) {
    ack_wait_ = ack_wait;
    max_extension_ = max_extension.count() > 0 ? max_extension : std::max(least_extension, ack_wait * 10);
}

void Feed::count(ConsumerStats& stats) const noexcept {
    stats.redeliveries = redeliveries_.load(std::memory_order_relaxed);
    stats.dead_letters = dead_letters_.load(std::memory_order_relaxed);
    stats.dead_letters_refused = dead_letters_refused_.load(std::memory_order_relaxed);
    stats.recoveries = recoveries_.load(std::memory_order_relaxed);
}

void Feed::feed(Message message, const Metadata& metadata) noexcept {
    if (metadata.deliveries > 1) redeliveries_.fetch_add(1, std::memory_order_relaxed);
    std::shared_ptr<MessageSink> sink;
    Reason unkept;
    {
        const auto now = link_.clock().now();
        const std::lock_guard lock{mutex_};
        held_.add(message, acknowledger_.current(), now);
        arm(now);
        last_fed_ = std::max(last_fed_, metadata.stream_sequence);
        given_back_.erase(metadata.stream_sequence);
        unkept = take_unkept(metadata.stream_sequence);
        sink = sink_;
    }
    if (sink == nullptr) return;
    if (!unkept.text.empty()) {
        const auto delay = settlement_.give_up(metadata.deliveries).delay;
        return send_dead_letter(std::make_shared<Message>(std::move(message)), unkept, delay, LetterSize::whole);
    }
    const auto action = settlement_.before(metadata.deliveries);
    using Kind = Action::Kind;
    if (action.kind == Kind::term || action.kind == Kind::dead_letter) {
        return perform(
            action, std::move(message),
            {fmt::format("delivered {} times and not settled: far more often than max_attempts allows, perhaps "
                         "because it ended the program",
                         metadata.deliveries - 1)});
    }
    if (action.kind == Kind::ack) ack_first(message);
    sink->on_message(std::move(message));
}

void Feed::ack_first(const Message& message) noexcept {
    Held first;
    {
        const std::lock_guard lock{mutex_};
        auto* const held = held_.find(message);
        if (held == nullptr) return;
        held->settled = true;
        first = *held;
    }
    acknowledge(first, ack_word, Flush::batched);
}

Feed::Reason Feed::take_unkept(std::uint64_t sequence) {
    if (unkept_.empty()) return {};
    const auto found = unkept_.extract(sequence);
    return found ? std::move(found.mapped()) : Reason{};
}

void Feed::settle(Message message, const Handled& handled) noexcept {
    if (!message) return;  // the handler has taken the message, and settles it
    if (handled.untouched) return nak(message, {});
    if (handled.plan != nullptr && handled.plan->kind != Plan::Kind::none) {
        return perform(action_of(*handled.plan), std::move(message), reason_of(handled));
    }
    Tries tries;
    const auto action = decide(message, handled, tries);
    perform(action, std::move(message), tries.attempts > 0 ? reason_of(handled) : Reason{});
}

Action Feed::decide(const Message& message, const Handled& handled, Tries& tries) noexcept {
    const auto ending = ending_of(handled);
    // The attempts matter only for a failure.
    const bool succeeded =
        ending == Ending::succeeded || (ending == Ending::decided && handled.outcome == Outcome::ack);
    if (!succeeded) {
        const auto metadata = message.metadata().value_or(Metadata{});
        tries = {.deliveries = metadata.deliveries, .attempts = count_attempt(message, metadata.stream_sequence)};
    }
    return settlement_.after(ending, handled.outcome, tries);
}

Plan Feed::plan(const Message& message, const Handled& handled) noexcept {
    if (!message) return {};
    Tries tries;
    const auto action = decide(message, handled, tries);
    Plan plan{.delay = action.delay};
    switch (action.kind) {
        // A message that was acknowledged before its handler ran is not acknowledged twice: see release().
        case Action::Kind::none:
            plan.kind = settlement_.policy() == AckPolicy::ack_first ? Plan::Kind::done : Plan::Kind::left;
            return plan;
        case Action::Kind::ack: plan.kind = Plan::Kind::done; return plan;
        case Action::Kind::nak: plan.kind = Plan::Kind::again; break;
        case Action::Kind::term:
        case Action::Kind::dead_letter: plan.kind = Plan::Kind::give_up; break;
    }
    if (handled.rejected || handled.declined) return plan;  // whatever the attempts are
    plan.attempt = tries.attempts;
    plan.attempts = settlement_.retry().max_attempts;
    return plan;
}

Action Feed::action_of(const Plan& plan) const noexcept {
    switch (plan.kind) {
        case Plan::Kind::done: return {Action::Kind::ack};
        case Plan::Kind::again: return {Action::Kind::nak, plan.delay};
        case Plan::Kind::give_up:
            return {settlement_.retry().dead_letter.empty() ? Action::Kind::term : Action::Kind::dead_letter,
                    plan.delay};
        default: return {};
    }
}

std::uint64_t Feed::count_attempt(const Message& message, std::uint64_t sequence) {
    const std::lock_guard lock{mutex_};
    const auto* const held = held_.find(message);
    if (held == nullptr || !acknowledger_.is_current(held->incarnation)) return 1;
    const auto count = ++attempts_[sequence];
    keep_at_most(attempts_, most_attempted);
    return count;
}

void Feed::perform(const Action& action, Message message, const Reason& why) noexcept {
    using Kind = Action::Kind;
    switch (action.kind) {
        case Kind::none: return release(message, {});
        case Kind::ack: return release(message, ack_word);
        case Kind::nak: return nak(message, action.delay);
        case Kind::dead_letter: return publish_dead_letter(std::move(message), why, action.delay);
        case Kind::term:
            report_given_up(message, "and there is no dead letter", why);
            return release(message, term_word);
    }
}

void Feed::nak(const Message& message, std::chrono::nanoseconds delay) noexcept { release(message, nak_text(delay)); }

void Feed::release(const Message& message, std::string_view word) noexcept {
    std::optional<Held> held;
    std::optional<Settled> report;
    bool last = false;
    bool done = false;
    {
        const auto now = link_.clock().now();
        const std::lock_guard lock{mutex_};
        held = held_.remove(message);
        if (!held) return;
        note_released(*held, word);
        last = held_.size() == 0;
        settled_.since = held->since;
        settled_.bytes += held->bytes;
        ++settled_.count;
        if (held->returned) {
            --returned_;
            --settled_.awaiting;
            settled_.awaiting_bytes -= static_cast<std::ptrdiff_t>(held->bytes);
        }
        // Handlers have nothing to do if all that is left in hand awaits confirmations.
        const bool idle = last || (!held->returned && held_.size() == returned_);
        report = take_report(now, idle ? Urgency::handlers_idle : Urgency::none);
        done = take_done();
    }
    const bool tells = !held->settled && !word.empty();
    if (tells && done) settle_last(*held, word);
    else if (tells) acknowledge(*held, word, last ? Flush::now : Flush::batched);
    if (report) calls_.settled(*report);
    if (done && !tells) calls_.done();
}

void Feed::returned(const Message& message) noexcept {
    std::optional<Settled> report;
    {
        const auto now = link_.clock().now();
        const std::lock_guard lock{mutex_};
        auto* const held = held_.find(message);
        if (held == nullptr || std::exchange(held->returned, true)) return;
        ++returned_;
        ++settled_.awaiting;
        settled_.awaiting_bytes += static_cast<std::ptrdiff_t>(held->bytes);
        report = take_report(now, held_.size() == returned_ ? Urgency::handlers_idle : Urgency::none);
    }
    // A request for more leaves at once, and takes along the publications that wait in the connection's buffer.
    if (report) calls_.settled(*report);
}

std::optional<Settled> Feed::take_report(TimePoint now, Urgency urgency) {
    const bool waits = urgency == Urgency::none && ++unreported_ < report_size && now - reported_ < report_pause;
    if (waits) return std::nullopt;
    reported_ = now;
    unreported_ = 0;
    return std::exchange(settled_, {});
}

/// A server may remove a consumer before it has read the acknowledgements that came earlier: so it is removed once the
/// last one is confirmed, or, where the connection is closed before that, by itself.
void Feed::settle_last(const Held& held, std::string_view word) noexcept {
    if (!wants_acks() || acknowledger_.in_doubt() || !acknowledger_.is_current(held.incarnation)) return calls_.done();
    link_.request_async(held.ack_subject, {.body = as_bytes(word)}, {},
                        [self = shared_from_this()](const Expected<Message>& confirmed) {
                            if (confirmed) self->calls_.done();
                        });
}

void Feed::note_released(const Held& held, std::string_view word) {
    const bool comes_again = (word.empty() || word.starts_with(nak_word)) && !held.settled && wants_acks();
    if ((!comes_again && attempts_.empty()) || !acknowledger_.is_current(held.incarnation)) return;
    const auto metadata = parse_ack_subject(held.ack_subject);
    if (!metadata) return;
    if (comes_again) given_back_.insert(metadata->stream_sequence);
    else attempts_.erase(metadata->stream_sequence);
    keep_at_most(given_back_, most_given_back);
}

void Feed::acknowledge(const Held& held, std::string_view word, Flush flush) noexcept {
    if (wants_acks()) acknowledger_.send(held.incarnation, held.ack_subject, word, flush);
}

bool Feed::outlived(const Message& message) {
    const std::lock_guard lock{mutex_};
    const auto* const held = held_.find(message);
    return held != nullptr && !acknowledger_.is_current(held->incarnation);
}

void Feed::found(Acknowledger::Anew anew) noexcept {
    recoveries_.fetch_add(1, std::memory_order_relaxed);
    std::size_t outlived = 0;
    {
        const std::lock_guard lock{mutex_};
        acknowledger_.found(anew);
        if (anew == Acknowledger::Anew::no) return;
        unkept_.clear();
        attempts_.clear();
        given_back_.clear();
        last_fed_ = 0;
        outlived = held_.size();
    }
    if (outlived > 0) {
        link_.logger().warn("{} was deleted and created again; {} message{} that the old one delivered cannot be "
                            "acknowledged, and may come again",
                            who_, outlived, outlived == 1 ? "" : "s");
    }
}

void Feed::begin_behind(std::uint64_t sequence, std::uint64_t outstanding) noexcept {
    const std::lock_guard lock{mutex_};
    behind_ = sequence;
    // They come again within ack_wait unless another program has them.
    if (outstanding > 0) outstanding_until_ = link_.clock().now() + 2 * ack_wait_.load();
}

std::uint64_t Feed::first_unsettled() {
    const std::lock_guard lock{mutex_};
    const bool behind_only = last_fed_ == 0 || link_.clock().now() < outstanding_until_;
    auto first = behind_only ? behind_ + 1 : last_fed_ + 1;
    if (last_fed_ == 0 && behind_ == 0) first = 0;
    if (!given_back_.empty()) first = std::min(first, *given_back_.begin());
    held_.visit([&](const Held& held) {
        if (held.settled || !wants_acks() || !acknowledger_.is_current(held.incarnation)) return;
        if (const auto metadata = parse_ack_subject(held.ack_subject))
            first = std::min(first, metadata->stream_sequence);
    });
    return first;
}

Expected<void> Feed::ack_sync(const Message& message, std::chrono::milliseconds timeout) {
    Acknowledger::Incarnation incarnation{};
    {
        const std::lock_guard lock{mutex_};
        const auto* held = held_.find(message);
        if (held == nullptr) return failure(Errc::bad_setup, "ack_sync: this message was settled before");
        if (held->settled || !wants_acks()) return {};
        incarnation = held->incarnation;
    }
    if (!may_wait()) return std::unexpected{wait_refused("ack_sync of a message on " + quoted(message.subject()))};
    if (auto certain = acknowledger_.wait_until_certain(incarnation, link_.clock().now() + timeout); !certain)
        return std::unexpected{Error{certain.error().code(), fmt::format("ack_sync: {}", certain.error().message())}};
    const auto answer = link_.request(message.reply_to(), {.body = as_bytes(ack_word)}, {.timeout = timeout});
    if (!answer) {
        return std::unexpected{
            Error{answer.error().code(),
                  fmt::format("ack_sync: the server did not confirm the acknowledgement: {}", answer.error().what())}};
    }
    const std::lock_guard lock{mutex_};
    if (auto* held = held_.find(message)) held->settled = true;
    return {};
}

/// Returns whether done() is to be called now: true once.
bool Feed::take_done() {
    if (!ended_ || done_ || held_.size() > 0 || !calls_.done) return false;
    return done_ = true;
}

void Feed::end() noexcept {
    log_.finish();
    std::shared_ptr<MessageSink> sink;
    bool done = false;
    {
        const std::lock_guard lock{mutex_};
        sink = std::move(sink_);
        ended_ = true;
        done = take_done();
    }
    if (done) calls_.done();
    if (sink != nullptr) sink->on_end();  // last: the broker may be gone afterwards
}

}  // namespace freshet::detail
