// SPDX-License-Identifier: Apache-2.0
#include "delivery/conclusion.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error_state.hpp"
#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "delivery/confirmations.hpp"
#include "delivery/item_access.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

/// Returns a time as a log line has it: "250 ms", "5 s".
std::string time_text(std::chrono::nanoseconds time) {
    const std::chrono::duration<double> seconds = time;
    return seconds.count() < 1 ? fmt::format("{:.3g} ms", seconds.count() * 1000)
                               : fmt::format("{:g} s", seconds.count());
}

/// Returns what a log line says about what becomes of a message.
std::string then(const Plan& plan) {
    std::string text;
    if (plan.attempt > 0) text = fmt::format("; attempt {}", plan.attempt);
    if (plan.attempt > 0 && plan.attempts > 0) text += fmt::format(" of {}", plan.attempts);
    text += text.empty() ? "; " : ", ";
    switch (plan.kind) {
        case Plan::Kind::none: return {};
        case Plan::Kind::left: return text + "not settled";
        case Plan::Kind::done: return text + "acknowledged all the same";
        case Plan::Kind::give_up: return text + "given up";
        case Plan::Kind::again: break;
    }
    return text + (plan.delay.count() == 0 ? "again at once" : "again in " + time_text(plan.delay));
}

}  // namespace

Conclusion::Conclusion(Link& link, Source& source, SubscriberCounts& counts, const std::string& subject)
    : link_{link}, source_{source}, counts_{counts}, log_{link, subject} {}

/// A delivery whose handler has returned, and whose publications are not confirmed yet.
struct Conclusion::Postponed {
    Postponed(SubscriberCore& of, Context& ended, const Handled& handled)
        : subscriber{of.shared_from_this()},
          message{ContextAccess::take_message(ended)},
          context{of, message},
          outcome{handled.outcome},
          decided{handled.decided},
          rejected{handled.rejected} {
        if (handled.failure != nullptr) failure = *handled.failure;
        of.postpone();
    }

    std::shared_ptr<SubscriberCore> subscriber;
    Message message;
    Context context;
    Outcome outcome;
    std::optional<Error> failure = {};
    bool decided;
    bool rejected;
};

bool Conclusion::postpone(SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
    // A message that comes again anyway need not wait: its publications have the same ids then.
    if (handled.outcome.kind() == Outcome::Kind::nack) return false;
    const auto confirmations = confirmations_of(context);
    if (confirmations == nullptr) return false;
    auto postponed = std::make_unique<Postponed>(subscriber, context, handled);
    if (observer_ != nullptr) observer_->on_postponed(context, postponed->context);
    confirmations->handler_returned(postponed->message);
    confirmations->when_known([this, postponed = std::move(postponed)](const Error* unconfirmed) {
        end(*postponed, unconfirmed);
    });
    return true;
}

void Conclusion::end(Postponed& postponed, const Error* unconfirmed) noexcept {
    auto& subscriber = *postponed.subscriber;
    if (unconfirmed != nullptr) {
        const auto outcome = Outcome::nack();
        counts_.settled(end(subscriber, postponed.context, {.outcome = outcome, .failure = unconfirmed}));
    } else {
        counts_.settled(end(subscriber, postponed.context,
                            {.outcome = postponed.outcome,
                             .failure = postponed.failure ? &*postponed.failure : nullptr,
                             .rejected = postponed.rejected,
                             .decided = postponed.decided}));
    }
    subscriber.end_postponed();
}

Ended Conclusion::end_failed(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
    auto failed = handled;
    failed.declined = !handled.decided && !handled.rejected && handled.failure != nullptr &&
                      handled.outcome.kind() == Outcome::Kind::term && declines_for_good(*handled.failure);
    const auto plan = source_.plan(context.message(), failed);
    failed.plan = &plan;
    report(subscriber, context, failed);
    if (observer_ != nullptr) observer_->on_settled(subscriber, context, failed);
    source_.settle(ContextAccess::take_message(context), failed);
    return ended_as(failed, source_);
}

void Conclusion::report(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
    const auto failure = failure_of(handled);
    const int code = count(failure, handled);
    const bool asked = subscriber.answer_wanted(context);
    if (asked) answer(context, failure, handled, code);
    try {
        write(context.logger(), failure, handled, code, asked);
    } catch (...) { log_.write(context.logger(), FailureLog::Kind::failed, "handler failed", failure); }  // no memory
}

int Conclusion::count(const Error& failure, const Handled& handled) noexcept {
    const int code = code_of(failure, handled.rejected);
    counts_.failure(handled, declines(failure));
    try {
        errors_.add(code);
    } catch (...) { return code; }  // no memory
    return code;
}

void Conclusion::write(Logger& logger, const Error& failure, const Handled& handled, int code, bool asked,
                       std::string_view what) {
    using Kind = FailureLog::Kind;
    const auto next = handled.plan != nullptr ? then(*handled.plan) : std::string{};
    if (declines(failure)) {
        const auto kind = fmt::format("{} {}", asked ? "answered" : "declined with", code);
        if (logger.enabled(LogLevel::info)) log_.write(logger, Kind::declined, kind, failure, LogLevel::info, next);
        return;
    }
    const auto answered = asked ? fmt::format("; answered {}", code) : std::string{};
    if (handled.rejected)
        log_.write(logger, Kind::rejected, "message rejected", failure, LogLevel::error, answered + next);
    else log_.write(logger, Kind::failed, what, failure, LogLevel::error, answered + next);
}

void Conclusion::conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned,
                          std::span<Item> items) noexcept {
    const auto& failure = ContextAccess::failure(context);
    const auto& decided = ContextAccess::decided(context);
    Handled whole{.outcome = decided ? *decided : returned,
                  .failure = failure ? &*failure : nullptr,
                  .decided = decided.has_value()};
    whole.declined = whole.failure != nullptr && !whole.decided && declines_for_good(*whole.failure);
    const bool failed = whole.failure != nullptr || whole.outcome != Outcome::ack;
    bool told = false;
    for (auto& item : items) {
        if (leaves_unanswered(item.message())) warn_unanswered(context);
        if (ItemAccess::is_rejected(item) || ItemAccess::decided(item)) {
            conclude(subscriber, item);
        } else if (failed) {
            end_of_batch(subscriber, context, item, whole, items.size(), std::exchange(told, true));
        } else {
            settle(subscriber, item, whole);
        }
    }
}

void Conclusion::conclude(SubscriberCore& subscriber, Item& item) noexcept {
    if (const auto& why = ItemAccess::rejected(item)) {
        const auto term = Outcome::term();
        end_item(subscriber, item, {.outcome = term, .failure = &*why, .rejected = true}, "message rejected");
    } else if (const auto own = *ItemAccess::decided(item); own != Outcome::ack) {
        end_item(subscriber, item, {.outcome = own, .decided = true}, "handler failed");
    } else {
        settle(subscriber, item, {.outcome = own, .decided = true});
    }
}

/// Ends the delivery of a message of a batch that failed by itself.
void Conclusion::end_item(SubscriberCore& subscriber, Item& item, Handled handled, std::string_view what) noexcept {
    const auto plan = source_.plan(ItemAccess::message(item), handled);
    handled.plan = &plan;
    const auto failure = failure_of(handled);
    const int code = count(failure, handled);
    Context context{subscriber, ItemAccess::message(item)};
    try {
        write(context.logger(), failure, handled, code, false, what);
    } catch (...) { log_.write(context.logger(), FailureLog::Kind::failed, what, failure); }  // no memory
    settle(subscriber, item, handled);
}

/// Ends the delivery of a message of a batch that failed as a whole. The first one writes the line for all.
void Conclusion::end_of_batch(SubscriberCore& subscriber, Context& context, Item& item, Handled handled,
                              std::size_t size, bool told) noexcept {
    const auto plan = source_.plan(ItemAccess::message(item), handled);
    handled.plan = &plan;
    const auto failure = failure_of(handled);
    const int code = count(failure, handled);
    try {
        if (!told)
            write(context.logger(), failure, handled, code, false,
                  fmt::format("handler of {} message{} failed", size, size == 1 ? "" : "s"));
    } catch (...) { log_.write(context.logger(), FailureLog::Kind::failed, "handler failed", failure); }  // no memory
    settle(subscriber, item, handled);
}

void Conclusion::warn_unanswered(Context& context) noexcept {
    if (unanswered_told_.exchange(true)) return;
    context.logger().warn(
        "a request got no answer, so its caller waits until the timeout: the handler, or a middleware before it, "
        "acknowledged without a result; return one, or Response<>{{}} to confirm, or set .no_reply if others answer "
        "(another subscriber, or the stream that stores the subject). This is said once for each subscriber");
}

void Conclusion::settle(const SubscriberCore& subscriber, Item& item, const Handled& handled) noexcept {
    if (observer_ != nullptr) observer_->on_batched(subscriber, item.message(), handled);
    source_.settle(ItemAccess::take(item), handled);
    counts_.settled(ended_as(handled, source_));
}

void Conclusion::answer(Context& context, const Error& failure, const Handled& handled, int code) noexcept {
    try {
        const auto sent = answer_failure(link_, context, failure, handled, code);
        if (!sent)
            log_.write(link_.logger(), FailureLog::Kind::not_answered,
                       "cannot answer a request on " + quoted(context.subject()) + " with its error", sent.error());
    } catch (...) {
        log_.write(link_.logger(), FailureLog::Kind::not_answered, "cannot answer a request with its error",
                   exception_error());
    }
}

}  // namespace freshet::detail
