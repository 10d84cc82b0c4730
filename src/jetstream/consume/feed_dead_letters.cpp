// SPDX-License-Identifier: Apache-2.0
// The part of a feed that publishes dead letters.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "jetstream/consume/consumer_protocol.hpp"
#include "jetstream/consume/feed.hpp"

namespace freshet::detail {
namespace {

using Failed = FailureLog::Kind;

// The most messages whose dead letter nobody kept that are remembered.
constexpr std::size_t most_unkept = 1'000;

/// Returns how long to wait before a dead letter that nobody kept is published again: longer each time, whatever the
/// backoff is.
std::chrono::nanoseconds unkept_pause(std::uint64_t deliveries) {
    constexpr std::chrono::milliseconds first{100};
    constexpr std::chrono::milliseconds longest{30'000};
    constexpr std::uint64_t most_doublings = 9;
    return std::min(first * (1 << std::min(deliveries, most_doublings)), longest);
}

}  // namespace

Feed::Reason Feed::reason_of(const Handled& handled) {
    if (handled.failure != nullptr) {
        Reason reason{.text = std::string{handled.failure->message()}};
        if (handled.declined) {
            reason.level = LogLevel::info;
            reason.code = handled.failure->remote_code();
        }
        return reason;
    }
    if (!handled.outcome.reason().empty()) return {std::string{handled.outcome.reason()}};
    return {handled.outcome.kind() == Outcome::Kind::term ? "the handler said term" : "the handler said nack"};
}

void Feed::report_given_up(const Message& message, std::string_view what_then, const Reason& why) noexcept {
    try {
        const auto metadata = message.metadata().value_or(Metadata{});
        const auto what = fmt::format("{}: message {} on {} is given up after {} {}, {}", who_,
                                      metadata.stream_sequence, quoted(message.subject()), metadata.deliveries,
                                      metadata.deliveries == 1 ? "delivery" : "deliveries", what_then);
        log_.write(link_.logger(), Failed::given_up, what, RemoteError{why.code, why.text}, why.level);
    } catch (...) { link_.logger().error("{}: a message is given up", who_); }  // no memory
}

void Feed::publish_dead_letter(Message message, const Reason& why, std::chrono::nanoseconds delay) noexcept {
    if (outlived(message)) return release(message, {});
    send_dead_letter(std::make_shared<Message>(std::move(message)), why, delay, LetterSize::whole);
}

void Feed::send_dead_letter(const std::shared_ptr<Message>& message, const Reason& why, std::chrono::nanoseconds delay,
                            LetterSize size) noexcept {
    try {
        const auto headers = dead_letter_headers(*message, message->metadata().value_or(Metadata{}), why.text, size);
        const auto body = size == LetterSize::whole ? message->payload() : Bytes{};
        // The answer may come before the sending has returned, while that still reads the message. So both hold it.
        link_.request_async(settlement_.retry().dead_letter, {.body = body}, {.headers = headers},
                            [self = shared_from_this(), message, why, delay, size](const Expected<Message>& answer) {
                                const auto& to = self->settlement_.retry().dead_letter;
                                const auto kept = check_dead_letter_answer(to, answer);
                                self->finish_dead_letter(message, kept, why, delay, size);
                            });
    } catch (...) {
        log_.write(link_.logger(), Failed::dead_letter, who_ + ": cannot make a dead letter, so the message stays",
                   exception_error());
        nak(*message, delay);
    }
}

void Feed::finish_dead_letter(const std::shared_ptr<Message>& message, const Expected<std::string>& kept,
                              const Reason& why, std::chrono::nanoseconds delay, LetterSize size) noexcept {
    if (kept) {
        dead_letters_.fetch_add(1, std::memory_order_relaxed);
        bool again = false;
        {
            const std::lock_guard lock{mutex_};
            again = std::exchange(unkept_told_, std::nullopt).has_value();
        }
        if (again) link_.logger().info("{}: dead letters are kept again", who_);
        report_given_up(*message, *kept, why);
        return release(*message, term_word);
    }
    const auto& error = kept.error();
    // Publishing it once more would not help: it stays too large.
    if (error.code() == Errc::payload_too_large && size != LetterSize::bare) {
        const auto next = size == LetterSize::whole ? LetterSize::no_payload : LetterSize::bare;
        const auto* const left_out = next == LetterSize::no_payload ? "its payload is" : "the message's headers are";
        log_.write(link_.logger(), Failed::dead_letter,
                   fmt::format("{}: a dead letter is too large, so {} left out", who_, left_out), error,
                   LogLevel::warn);
        return send_dead_letter(message, why, delay, next);
    }
    dead_letters_refused_.fetch_add(1, std::memory_order_relaxed);
    const auto metadata = message->metadata().value_or(Metadata{});
    {
        const std::lock_guard lock{mutex_};
        unkept_.insert_or_assign(metadata.stream_sequence, why);
        if (unkept_.size() > most_unkept) unkept_.erase(std::prev(unkept_.end()));
    }
    report_unkept(metadata.stream_sequence, error);
    nak(*message, std::max(delay, unkept_pause(metadata.deliveries)));
}

void Feed::report_unkept(std::uint64_t sequence, const Error& why) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (unkept_told_ == why.code()) return;
        unkept_told_ = why.code();
    }
    log_.write(link_.logger(), Failed::dead_letter,
               fmt::format("{}: the dead letter of message {} was not kept, so the message stays and is tried again; "
                           "nothing more is logged of dead letters until one is kept",
                           who_, sequence),
               why);
}

}  // namespace freshet::detail
