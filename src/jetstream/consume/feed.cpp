// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/feed.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "jetstream/consume/dead_letter.hpp"

namespace freshet::detail {
namespace {

constexpr std::size_t most_unkept = 1'000;  // no more than that are remembered
// Settled messages are reported in lots of this size while others are in hand, or after this time.
constexpr std::size_t report_size = 32;
constexpr std::chrono::milliseconds report_pause{1};
constexpr std::string_view ack_word = "+ACK";
constexpr std::string_view nak_word = "-NAK";
constexpr std::string_view term_word = "+TERM";
constexpr std::string_view progress_word = "+WPI";

Ending ending_of(const Handled& handled) {
    if (handled.rejected) return Ending::poison;
    if (handled.decided) return Ending::said;
    if (handled.failure != nullptr) return Ending::failed;
    return handled.outcome == Outcome::ack ? Ending::succeeded : Ending::said;
}

std::string_view reason_of(const Handled& handled) {
    if (handled.failure != nullptr) return handled.failure->message();
    if (!handled.outcome.reason().empty()) return handled.outcome.reason();
    return handled.outcome.kind() == Outcome::Kind::term ? "the handler said term" : "the handler said nack";
}

}  // namespace

Feed::Feed(Link& link, Settlement settlement, std::string who, std::shared_ptr<MessageSink> sink, OnSettled on_settled)
    : link_{link},
      settlement_{std::move(settlement)},
      who_{std::move(who)},
      on_settled_{std::move(on_settled)},
      sink_{std::move(sink)} {}

void Feed::set_ack_wait(std::chrono::nanoseconds ack_wait) { ack_wait_ = ack_wait; }

void Feed::feed(Message message, const Metadata& metadata) noexcept {
    std::shared_ptr<MessageSink> sink;
    {
        const auto now = link_.clock().now();
        const std::lock_guard lock{mutex_};
        held_.add(message, now);
        arm(now);
        sink = sink_;
    }
    if (sink == nullptr) return;
    const auto action = settlement_.before(metadata.deliveries);
    using Kind = Action::Kind;
    if (action.kind == Kind::term || action.kind == Kind::dead_letter) {
        return perform(action, std::move(message), metadata, why_given_up(metadata));
    }
    if (action.kind == Kind::ack) {
        const std::lock_guard lock{mutex_};
        if (auto* held = held_.find(message)) held->settled = true;
    }
    if (action.kind == Kind::ack) acknowledge(message.reply_to(), ack_word, Flush::batched);
    sink->on_message(std::move(message));
}

std::string Feed::why_given_up(const Metadata& metadata) {
    const std::lock_guard lock{mutex_};
    if (const auto found = unkept_.extract(metadata.stream_sequence)) return std::move(found.mapped());
    return fmt::format("delivered {} times and not settled: more often than max_attempts allows, perhaps because it "
                       "ended the program",
                       metadata.deliveries - 1);
}

void Feed::settle(Message message, const Handled& handled) noexcept {
    if (!message) return;  // taken by the handler, whose own business it is now
    if (handled.untouched) return nak(message, {});
    const auto ending = ending_of(handled);
    // Only a failure asks how often it was delivered.
    const auto metadata = ending == Ending::succeeded ? Metadata{} : message.metadata().value_or(Metadata{});
    const auto action = settlement_.after(ending, handled.outcome, metadata.deliveries);
    perform(action, std::move(message), metadata, reason_of(handled));
}

void Feed::perform(const Action& action, Message message, const Metadata& metadata, std::string_view why) noexcept {
    using Kind = Action::Kind;
    switch (action.kind) {
        case Kind::none: return release(message, {});
        case Kind::ack: return release(message, ack_word);
        case Kind::nak: return nak(message, action.delay);
        case Kind::dead_letter: return publish_dead_letter(std::move(message), metadata, why, action.delay);
        case Kind::term:
            link_.logger().error(
                "{}: message {} on {} is given up after {} deliveries, and there is no dead letter: {}", who_,
                metadata.stream_sequence, quoted(message.subject()), metadata.deliveries, why);
            return release(message, term_word);
    }
}

void Feed::nak(const Message& message, std::chrono::nanoseconds delay) noexcept {
    if (delay.count() <= 0) return release(message, nak_word);
    release(message, fmt::format(R"({} {{"delay":{}}})", nak_word, delay.count()));
}

void Feed::publish_dead_letter(Message message, const Metadata& metadata, std::string_view why,
                               std::chrono::nanoseconds delay) noexcept {
    const auto& subject = settlement_.retry().dead_letter;
    link_.logger().error("{}: message {} on {} is given up after {} deliveries, to {}: {}", who_,
                         metadata.stream_sequence, quoted(message.subject()), metadata.deliveries, quoted(subject),
                         why);
    // Held here too: the answer may be faster than the sending, which still reads both.
    const auto self = shared_from_this();
    std::shared_ptr<Message> kept;
    try {
        const auto headers = dead_letter_headers(message, metadata, why);
        kept = std::make_shared<Message>();
        *kept = std::move(message);
        link_.request_async(subject, {.body = kept->payload()}, {.headers = headers},
                            [self, kept, why = std::string{why}, delay](Expected<Message> answer) {
                                const auto& to = self->settlement_.retry().dead_letter;
                                const auto confirmed = check_dead_letter_answer(to, answer);
                                self->finish_dead_letter(*kept, confirmed, why, delay);
                            });
    } catch (...) {
        link_.logger().error("{}: cannot make a dead letter, so the message stays: {}", who_, exception_text());
        nak(kept == nullptr ? message : *kept, delay);
    }
}

void Feed::finish_dead_letter(const Message& message, const Expected<void>& confirmed, const std::string& why,
                              std::chrono::nanoseconds delay) noexcept {
    if (confirmed) return release(message, term_word);
    if (const auto metadata = message.metadata()) {
        const std::lock_guard lock{mutex_};
        unkept_.insert_or_assign(metadata->stream_sequence, why);
        if (unkept_.size() > most_unkept) unkept_.erase(unkept_.begin());
    }
    link_.logger().error("{}: the dead letter was not kept, so the message stays: {}", who_,
                         confirmed.error().message());
    nak(message, delay);
}

void Feed::release(const Message& message, std::string_view word) noexcept {
    std::optional<Held> held;
    Settled report;
    bool last = false;
    {
        const auto now = link_.clock().now();
        const std::lock_guard lock{mutex_};
        held = held_.remove(message);
        if (!held) return;
        last = held_.size() == 0;
        settled_.since = held->since;
        settled_.bytes += held->bytes;
        if (++settled_.count >= report_size || last || now - reported_ >= report_pause) {
            reported_ = now;
            report = std::exchange(settled_, {});
        }
    }
    if (!held->settled && !word.empty()) acknowledge(message.reply_to(), word, last ? Flush::now : Flush::batched);
    if (report.count > 0) on_settled_(report);
}

void Feed::acknowledge(std::string_view subject, std::string_view word, Flush flush) noexcept {
    if (!wants_acks()) return;
    const auto sent = link_.transport().publish({.subject = subject, .payload = as_bytes(word), .flush = flush});
    if (!sent) link_.logger().warn("{}: cannot acknowledge, so it comes again: {}", who_, sent.error().what());
}

void Feed::in_progress(const Message& message) noexcept {
    {
        const std::lock_guard lock{mutex_};
        auto* held = held_.find(message);
        if (held == nullptr || held->settled) return;
        held->told = link_.clock().now();
    }
    acknowledge(message.reply_to(), progress_word, Flush::now);
}

Expected<void> Feed::ack_sync(const Message& message, std::chrono::milliseconds timeout) {
    {
        const std::lock_guard lock{mutex_};
        const auto* held = held_.find(message);
        if (held == nullptr) return failure(Errc::bad_setup, "ack_sync: this message was settled before");
        if (held->settled || !wants_acks()) return {};
    }
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

/// Called with the lock held. Looks twice within half of ack_wait, so that the server hears of a message in time.
void Feed::arm(TimePoint now) {
    if (armed_ || !wants_acks()) return;
    armed_ = true;
    link_.clock().schedule(now + ack_wait_.load() / 4, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->tell_in_progress();
    });
}

void Feed::tell_in_progress() noexcept {
    const auto now = link_.clock().now();
    // Under the lock: the subjects live as long as the messages are held.
    const std::lock_guard lock{mutex_};
    armed_ = false;
    for (const auto subject : held_.untold(now - ack_wait_.load() / 2, now))
        std::ignore = link_.transport().publish({.subject = subject, .payload = as_bytes(progress_word)});
    if (held_.size() > 0) arm(now);
}

void Feed::end() noexcept {
    std::shared_ptr<MessageSink> sink;
    {
        const std::lock_guard lock{mutex_};
        sink = std::move(sink_);
    }
    if (sink != nullptr) sink->on_end();
}

}  // namespace freshet::detail
