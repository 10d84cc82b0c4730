// SPDX-License-Identifier: Apache-2.0
// The handling of messages: from the source through the dispatcher, the middlewares and the handler to the conclusion.
#include <utility>

#include <fmt/format.h>

#include <freshet/ack_policy.hpp>
#include <freshet/exit_app.hpp>

#include "base/exception_text.hpp"
#include "delivery/item_access.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet::detail {

void SubscriberCore::on_message(Message message) noexcept {
    if (turns_away() && turn_away(message)) return;
    if (dispatcher_->dispatch(message)) return;
    source_->settle(std::move(message), {.outcome = Outcome::nack(), .untouched = true});
    count_dropped();
}

void SubscriberCore::handle(Message message) noexcept {
    if (turns_away() && turn_away(message)) return;
    process(message);
}

void SubscriberCore::process(Message& message) noexcept {
    const auto handling = counts_.begin(message);
    sharing_.begin_delivery();
    {
        Context context{*this, message};
        const HandlerScope scope{context, route_};
        if (observer_ != nullptr) observer_->on_delivery(*this, context);
        const auto outcome = run_chain(context);
        counts_.end(handling);
        const auto ended = conclusion_.conclude(*this, context, outcome);
        if (ended != Ended::later) counts_.settled(handling, ended);
    }
    sharing_.end_delivery();
}

void SubscriberCore::handle(std::vector<Message> batch) noexcept {
    std::vector<Item> items;
    items.reserve(batch.size());
    for (auto& message : batch)
        if (!turns_away() || !turn_away(message)) items.emplace_back(std::move(message));
    if (items.empty()) return;
    counts_.receive_batch(items);
    process(items);
}

void SubscriberCore::process(std::span<Item> items) noexcept {
    const auto handling = counts_.begin_batch();
    Message first = {};  // for the context, since a batch has no message of its own
    Context context{*this, first};
    const HandlerScope scope{context, route_};
    std::vector<Item*> all;
    all.reserve(items.size());
    for (auto& item : items) all.push_back(&item);
    context.set(Items{std::move(all)});
    auto outcome = run_chain(context);
    if (confirmer_ != nullptr) outcome = publish_letters(context, outcome);
    counts_.end(handling);
    if (isolates(context)) isolate(context, items);
    else conclusion_.conclude(*this, context, outcome, items);
}

bool SubscriberCore::isolates(Context& context) const noexcept {
    const auto* const items = context.get<Items>();
    return spec_.options.batch.isolate && items != nullptr && ContextAccess::failure(context) &&
           !ContextAccess::decided(context) && items->size() > 1;
}

void SubscriberCore::isolate(Context& context, std::span<Item> items) noexcept {
    log_failure(context, FailureLog::Kind::failed,
                fmt::format("handler of {} messages failed; it gets them one by one", items.size()),
                *ContextAccess::failure(context), LogLevel::warn);
    for (auto& item : items) {
        if (ItemAccess::is_rejected(item) || ItemAccess::decided(item)) conclusion_.conclude(*this, item);
        else if (turns_away() && turn_away(ItemAccess::message(item))) counts_.settled(Ended::nack);
        else process({&item, 1});
    }
}

void SubscriberCore::reject(Message message, const Error& why) noexcept {
    counts_.receive();
    Context context{*this, message};
    const HandlerScope scope{context, route_};
    const auto ended = conclusion_.conclude(*this, context, ContextAccess::reject(context, why));
    if (ended != Ended::later) counts_.settled(ended);
}

Outcome SubscriberCore::run_chain(Context& context) noexcept {
    const bool logged = link_->logger().enabled(LogLevel::debug) && chain_.bound();
    if (!logged && chain_.empty()) return call_handler(context);
    const auto outcome = logged ? chain_.run_logged(context) : chain_.run(context);
    ContextAccess::adopt(context, outcome);
    return outcome;
}

Outcome SubscriberCore::call_handler(Context& context) noexcept {
    try {
        if (observer_ != nullptr) observer_->on_handler(*this);
        auto outcome = spec_.handler->invoke(context);
        if (confirmer_ != nullptr) outcome = publish_letters(context, outcome);
        if (ContextAccess::failure(context) && chain_.handles_errors()) {
            const auto failure = *ContextAccess::failure(context);
            if (auto other = consult(context, &failure, failure)) outcome = *std::move(other);
        }
        return outcome;
    } catch (...) { return caught(context); }
}

Outcome SubscriberCore::caught(Context& context) noexcept {
    if (auto outcome = outcome_thrown(context)) return *outcome;
    if (observer_ != nullptr) observer_->on_thrown(context, std::current_exception());
    const auto error = exception_error();
    auto outcome = ContextAccess::fail(context, error);
    return consult(context, nullptr, error).value_or(outcome);
}

/// Has the on_error functions decide about a failure that is in the context. Returns their outcome, or nothing if none
/// took it or one returned nack without a delay: then the retries decide, so that the message does not come back at
/// once for ever. An error that such a function returns takes the place of the failure, which becomes its cause.
std::optional<Outcome> SubscriberCore::consult(Context& context, const Error* returned, const Error& failure) noexcept {
    const bool rejected = ContextAccess::rejected(context);
    ContextAccess::clear_failure(context);
    auto outcome = chain_.handle(context, returned);
    if (outcome && ContextAccess::decided(context)) outcome = ContextAccess::decided(context);
    const bool failed_again = ContextAccess::failure(context).has_value();
    if (outcome && *outcome == Outcome::ack) return outcome;
    if (failed_again && outcome) {
        ContextAccess::add_cause(context, failure);
        if (!ContextAccess::decided(context)) {
            if (!rejected) return outcome;
            return ContextAccess::reject(context, *ContextAccess::failure(context));
        }
    } else if (rejected) {
        std::ignore = ContextAccess::reject(context, failure);
    } else {
        std::ignore = ContextAccess::fail(context, failure);
    }
    const bool left_to_retries = !outcome || (outcome->kind() == Outcome::Kind::nack && outcome->delay().count() == 0);
    if (left_to_retries) {
        if (outcome) ContextAccess::undecide(context);
        return std::nullopt;
    }
    return ContextAccess::decide(context, *outcome);
}

std::optional<Outcome> SubscriberCore::outcome_thrown(Context& context) noexcept {
    try {
        throw;
    } catch (const Ack&) { return ContextAccess::decide(context, Outcome::ack); } catch (const Nack& nack) {
        return ContextAccess::decide(context, Outcome::nack(nack.delay));
    } catch (const Reject& reject) {
        return ContextAccess::decide(context, Outcome::term(reject.why));
    } catch (const Skip&) {
        counts_.skip();
        return ContextAccess::decide(context, Outcome::ack);
    } catch (const ExitApp& asked) {
        host_->exit(asked.code());
        return std::nullopt;  // the message has failed all the same
    } catch (...) { return std::nullopt; }
}

Expected<void> SubscriberCore::emit(Context& context, const Encoded& encoded, const Headers* headers) {
    const auto& request = context.message();
    if (answer_wanted(context)) {
        auto sent = link_->send_counted(link_->traffic().replies(),
                                        {.subject = request.reply_to(),
                                         .payload = encoded.body,
                                         .headers = headers,
                                         .flush = idle() ? Flush::now : Flush::batched,
                                         .lane = Lane::deliveries},
                                        encoded.content_type, Outgoing::Kind::reply);
        if (!sent) return sent;
        ContextAccess::mark_answered(context);
    }
    if (ContextAccess::answers_only(context)) return {};
    if (confirmer_ == nullptr) return results_.publish(*link_, request, encoded, headers);
    return results_.publish(*link_, request, encoded, headers, [&](std::string_view subject, const Headers* all) {
        return publish_confirmed(context, request, subject, encoded, all);
    });
}

}  // namespace freshet::detail
