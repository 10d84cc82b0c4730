// SPDX-License-Identifier: Apache-2.0
#include "delivery/conclusion.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/exception_text.hpp"
#include "base/header_text.hpp"
#include "base/quoted.hpp"
#include "delivery/confirmations.hpp"
#include "delivery/item_access.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

/// The codes of errors that the caller and the service cause. ADR-32 leaves codes to the service; these are HTTP
/// statuses.
constexpr int code_rejected = 400;
constexpr int code_failed = 500;

/// Returns the code that the caller gets for `error`: its own, else the one that fits its condition.
int code_of(const Error& error) {
    if (error.remote_code() != 0) return error.remote_code();
    switch (error.condition().value_or(Condition::remote)) {
        case Condition::not_found: return 404;
        case Condition::already_exists:
        case Condition::wrong_revision: return 409;
        case Condition::no_responders:
        case Condition::disconnected: return 503;
        case Condition::timeout: return 504;
        default: return code_failed;
    }
}

/// Returns the error that stands for the outcome nack or term of a handler that reported no failure.
Error verdict(const Outcome& outcome) {
    std::string text = outcome.kind() == Outcome::Kind::term ? "the handler said term" : "the handler said nack";
    if (!outcome.reason().empty()) text.append(": ").append(outcome.reason());
    return {Errc::remote, std::move(text)};
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
    // The publications wait in the connection's buffer for more. When no message waits for the handler, none comes, and
    // this sends them on their way; else each burst of messages would wait for the next flush of the connection.
    if (subscriber.pending() == 0) source_.in_progress(postponed->message);
    confirmations->when_known([this, postponed = std::move(postponed)](const Error* unconfirmed) {
        end(*postponed, unconfirmed);
    });
    return true;
}

void Conclusion::end(Postponed& postponed, const Error* unconfirmed) noexcept {
    auto& subscriber = *postponed.subscriber;
    const auto failed = Outcome::nack();
    const Handled handled{.outcome = unconfirmed != nullptr ? failed : postponed.outcome,
                          .failure = unconfirmed != nullptr ? unconfirmed
                                     : postponed.failure    ? &*postponed.failure
                                                            : nullptr,
                          .rejected = unconfirmed == nullptr && postponed.rejected,
                          .decided = unconfirmed == nullptr && postponed.decided};
    counts_.settled(end(subscriber, postponed.context, handled));
    subscriber.end_postponed();
}

void Conclusion::report(const SubscriberCore& subscriber, Context& context, const Handled& handled) noexcept {
    const auto failure = handled.failure != nullptr ? *handled.failure : verdict(handled.outcome);
    counts_.failure(handled);
    const auto code = handled.rejected && failure.remote_code() == 0 ? code_rejected : code_of(failure);
    if (subscriber.answer_wanted(context)) answer(context.message(), failure, code);
    if (handled.rejected) log_.write(context.logger(), FailureLog::Kind::rejected, "message rejected", failure);
    else log_.write(context.logger(), FailureLog::Kind::failed, "handler failed", failure);
}

void Conclusion::conclude(SubscriberCore& subscriber, Context& context, const Outcome& returned,
                          std::span<Item> items) noexcept {
    const auto& failure = ContextAccess::failure(context);
    const auto& decided = ContextAccess::decided(context);
    const Handled whole{.outcome = decided ? *decided : returned,
                        .failure = failure ? &*failure : nullptr,
                        .decided = decided.has_value()};
    const bool failed = whole.failure != nullptr || whole.outcome != Outcome::ack;
    if (failed) {
        log_.write(context.logger(), FailureLog::Kind::failed,
                   fmt::format("handler of {} messages failed", items.size()),
                   whole.failure != nullptr ? *whole.failure : verdict(whole.outcome));
    }
    for (auto& item : items) {
        const auto& own = ItemAccess::decided(item);
        if (const auto& why = ItemAccess::rejected(item)) {
            log_.write(Context{subscriber, ItemAccess::message(item)}.logger(), FailureLog::Kind::rejected,
                       "message rejected", *why);
            const auto outcome = Outcome::term();
            const Handled refused{.outcome = outcome, .failure = &*why, .rejected = true};
            counts_.failure(refused);
            settle(subscriber, item, refused);
        } else if (own) {
            const Handled handled{.outcome = *own, .decided = true};
            if (*own != Outcome::ack) counts_.failure(handled);
            settle(subscriber, item, handled);
        } else {
            if (failed) counts_.failure(whole);
            settle(subscriber, item, whole);
        }
    }
}

void Conclusion::settle(const SubscriberCore& subscriber, Item& item, const Handled& handled) noexcept {
    if (observer_ != nullptr) observer_->on_batched(subscriber, item.message(), handled);
    counts_.settled(ended_as(source_.settle(ItemAccess::take(item), handled), handled));
}

void Conclusion::answer(const Message& request, const Error& error, int code) noexcept {
    try {
        Headers headers;
        headers.set("Nats-Service-Error", header_text(error.message()));
        headers.set("Nats-Service-Error-Code", std::to_string(code));
        const auto sent = link_.send_counted(
            link_.traffic().replies(),
            {.subject = request.reply_to(), .headers = &headers, .flush = Flush::now, .lane = Lane::deliveries}, {},
            Outgoing::Kind::reply);
        if (!sent)
            log_.write(link_.logger(), FailureLog::Kind::not_answered,
                       "cannot answer a request on " + quoted(request.subject()) + " with its error", sent.error());
    } catch (...) {
        log_.write(link_.logger(), FailureLog::Kind::not_answered, "cannot answer a request with its error",
                   exception_error());
    }
}

}  // namespace freshet::detail
