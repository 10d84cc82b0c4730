// SPDX-License-Identifier: Apache-2.0
#include <freshet/context.hpp>

#include <algorithm>

#include <freshet/batch.hpp>
#include <freshet/detail/handler.hpp>
#include <freshet/detail/subject_tokens.hpp>

#include "base/error_state.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/wait.hpp"
#include "delivery/subscriber_core.hpp"
#include "link/link.hpp"

namespace freshet {

Broker& Context::broker() const noexcept { return subscriber_->host().owner(); }

Clock& Context::clock() const noexcept { return subscriber_->link().clock(); }

Outcome Context::fail(Error why) { return detail::ContextAccess::fail(*this, std::move(why)); }
Outcome Context::reject(Error why) { return detail::ContextAccess::reject(*this, std::move(why)); }

Logger& Context::logger() {
    if (!logger_) logger_ = subscriber_->link().logger().with(&detail::ContextAccess::log_fields, this);
    return *logger_;
}

std::optional<std::string_view> Context::path(std::string_view name) const noexcept {
    const auto token = subscriber_->subject()->token_of(name);
    if (!token) return std::nullopt;
    return detail::token_at(subject(), *token);
}

void Context::in_progress() { subscriber_->source().in_progress(*message_); }

Expected<void> Context::publish_encoded(const Item* item, std::string_view subject, const detail::Encoded& encoded,
                                        const PublishOptions& options) {
    return subscriber_->publish(*this, item, subject, encoded, options);
}

detail::Link& Context::link() const noexcept { return subscriber_->link(); }

void Context::ack_sync(std::chrono::milliseconds timeout) {
    using std::chrono::milliseconds;
    const auto limit = timeout.count() > 0 ? timeout : subscriber_->link().options().request_timeout;
    const auto deadline = clock().now() + std::min(limit, detail::longest_timeout);
    value_or_raise(subscriber_->await_confirmations(*this, deadline));
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock().now());
    value_or_raise(subscriber_->source().ack_sync(*message_, std::max(left, milliseconds{1})));
    ack();
}

std::string_view Context::correlation_id() {
    const auto given = detail::ContextAccess::correlation_in_scope(*this);
    if (!given.empty()) return given;
    made_correlation_id_ = detail::random_id();
    return made_correlation_id_;
}

void Context::store(const std::type_info& type, std::shared_ptr<void> value) {
    for (auto& [known, held] : values_) {
        if (*known == type) {
            held = std::move(value);
            return;
        }
    }
    values_.emplace_back(&type, std::move(value));
}

void* Context::find(const std::type_info& type) const noexcept {
    for (const auto& [known, held] : values_)
        if (*known == type) return held.get();
    return nullptr;
}

namespace detail {
namespace {

/// Returns the outcome of a handler that fails with `error`.
Outcome outcome_of(const Error& error) {
    return declines_for_good(error) ? Outcome::term(std::string{error.message()}) : Outcome::nack();
}

}  // namespace

std::optional<Outcome> ContextAccess::outcome_thrown(Context& context) noexcept {
    return context.subscriber_->outcome_thrown(context);
}

Outcome ContextAccess::take_decision(Context& context, Outcome returned) {
    if (context.failure_ || !context.decided_) return returned;
    auto decided = *std::move(context.decided_);
    context.decided_.reset();
    context.decided_within_ = true;
    return decided;
}

void ContextAccess::adopt(Context& context, const Outcome& outcome) {
    if (context.decided_) return;
    const bool swallowed = context.failure_ && outcome == Outcome::ack;
    const bool delayed = context.failure_ && outcome.delay().count() != 0;
    const bool given_up = context.failure_ && outcome.kind() == Outcome::Kind::term && !context.rejected_ &&
                          !declines_for_good(*context.failure_);
    if (context.decided_within_ || swallowed || delayed || given_up) context.decided_ = outcome;
    if (swallowed) context.failure_.reset();
}

Outcome ContextAccess::reject(Context& context, Error error) {
    auto why = std::string{error.message()};
    context.failure_ = std::move(error);
    context.rejected_ = true;
    return Outcome::term(std::move(why));
}

Outcome ContextAccess::refuse(Context& context, std::optional<Error> error) {
    if (error) return reject(context, *std::move(error));
    return context.failure_ ? outcome_of(*context.failure_) : Outcome::nack();
}

Outcome ContextAccess::fail(Context& context, Error error) {
    auto outcome = outcome_of(error);
    context.failure_ = std::move(error);
    context.rejected_ = false;
    return outcome;
}

void ContextAccess::add_cause(Context& context, const Error& cause) noexcept {
    try {
        context.failure_ =
            ErrorAccess::changed(*context.failure_, [&](ErrorState& state) { state.cause = log_text(cause); });
    } catch (...) { return; }  // no memory for the text
}

bool ContextAccess::result_wanted(const Context& context) noexcept {
    return context.subscriber_->result_wanted(context);
}

Format ContextAccess::result_format(const Context& context) {
    const auto fallback = context.subscriber_->link().options().format;
    const auto type = content_type(context);
    return type.empty() ? fallback : format_of(type).value_or(fallback);
}

Outcome ContextAccess::emit(Context& context, Bytes body, std::string_view content_type, const Headers* headers) {
    auto sent = context.subscriber_->emit(context, {body, content_type}, headers);
    if (sent) return Outcome::ack;
    return fail(context, std::move(sent).error());
}

std::string_view ContextAccess::content_type(const Context& context) {
    return context.message_->header("content-type").value_or(std::string_view{});
}

std::stop_token ContextAccess::stop_token(const Context& context) noexcept {
    return context.subscriber_->link().stop_token();
}

std::string_view ContextAccess::correlation_in_scope(const Context& context) {
    if (!context.made_correlation_id_.empty()) return context.made_correlation_id_;
    const auto given = context.message_->header("correlation_id").value_or(std::string_view{});
    // A message that was written by hand may have a value here that cannot be sent on.
    return given.empty() || Headers::check("correlation_id", given) ? given : std::string_view{};
}

LogFields ContextAccess::log_fields(const void* context) {
    const auto& of = *static_cast<const Context*>(context);
    const auto& spec = of.subscriber_->spec();
    LogFields fields{.subject = of.subject(), .queue = spec.options.queue, .correlation_id = correlation_in_scope(of)};
    const auto* const batch = of.get<Items>();
    const bool one = batch == nullptr || batch->size() == 0;
    if (!one) fields.subject = spec.subject;  // each message of the batch may have another
    if (fields.subject != spec.subject) fields.handler = spec.subject;
    if (const auto metadata = (one ? of.message() : (*batch)[0].message()).metadata()) {
        fields.stream = metadata->stream;
        fields.consumer = metadata->consumer;
        if (one) fields.sequence = metadata->stream_sequence;
        if (one) fields.delivery = metadata->deliveries;
    }
    return fields;
}

namespace {

/// Compares the names of two headers without their case, and with `-` and `_` alike.
bool alike(std::string_view one, std::string_view other) noexcept {
    const auto plain = [](char c) {
        if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
        return c == '_' ? '-' : c;
    };
    return std::ranges::equal(one, other, {}, plain, plain);
}

}  // namespace

std::string_view subject_token(const Context& context, std::size_t index) noexcept {
    return token_at(context.subject(), index);
}

std::optional<std::string_view> message_header(Context& context, std::string_view name) {
    return context.message().header(name);
}

Error bad_path(const Context& context, std::string_view name, std::string_view token, std::string_view type) {
    return {Errc::bad_path, "the token " + quoted(token) + " for {" + std::string{name} + "} in subject " +
                                quoted(context.subject()) + " is not a valid " + std::string{type}};
}

Error bad_header(const Context& context, std::string_view name, std::string_view value, std::string_view type) {
    return {Errc::bad_header, "the header " + quoted(name) + " of a message on " + quoted(context.subject()) +
                                  " has the value " + quoted(value) + ", which is not a valid " + std::string{type}};
}

Error missing_header(const Context& context, std::string_view name) {
    auto missing = "the header " + quoted(name) + " is missing";
    const auto& headers = context.message().headers();
    const auto similar = std::ranges::find_if(headers, [&](const auto& field) { return alike(field.first, name); });
    if (similar != headers.end()) missing += "; the message has " + quoted(similar->first) + ", which is another name";
    return with_text_for_callers(Errc::missing_header,
                                 "a message on " + quoted(context.subject()) + ": " + missing +
                                     "; send it, or take Header<name, std::optional<T>>",
                                 missing);
}

std::string unknown_path(std::string_view name) {
    return "a parameter is Path<" + quoted(name) + ">, but the subject has no {" + std::string{name} + "}";
}

std::size_t find_naming_token(Binder& binder, std::string_view name) {
    const auto token = binder.token_of(name);
    if (!token) {
        binder.problem("FRESHET_VARIANT of the handler's body says by_path(" + quoted(name) +
                       "), but the subject has no {" + std::string{name} + "}");
    }
    return token.value_or(0);
}

std::string not_provided(std::string_view type) {
    return "a parameter is Inject<" + std::string{type} +
           ">, but nothing was provided; call broker.provide(std::make_shared<" + std::string{type} +
           ">(...)) before start(), or, for an object of a derived type, broker.provide<" + std::string{type} +
           ">(object)";
}

}  // namespace detail
}  // namespace freshet
