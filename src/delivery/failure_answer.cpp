// SPDX-License-Identifier: Apache-2.0
#include "delivery/failure_answer.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <freshet/codec.hpp>
#include <freshet/detail/handler.hpp>

#include "base/error_state.hpp"
#include "base/header_text.hpp"
#include "link/link.hpp"

namespace freshet::detail {
namespace {

constexpr int bad_request = 400;
constexpr int not_found = 404;
constexpr int conflict = 409;
constexpr int failed = 500;
constexpr int unavailable = 503;
constexpr int timed_out = 504;

std::string_view phrase_of(int code) noexcept {
    switch (code) {
        case bad_request: return "bad request";
        case not_found: return "not found";
        case conflict: return "conflict";
        case unavailable: return "service unavailable";
        case timed_out: return "a service did not answer in time";
        default: return "internal error";
    }
}

/// Returns what was written for callers to read; empty if nothing was.
std::string written_for_caller(const Link& link, const Error& failure, const Handled& handled) {
    const auto& state = ErrorAccess::state(failure);
    if (link.options().expose_errors) return state.message;
    if (!state.for_callers.empty() && state.origin != ErrorState::Origin::server) return state.for_callers;
    if (handled.failure == nullptr && !handled.outcome.reason().empty()) return std::string{handled.outcome.reason()};
    if (handled.rejected && state.thrown == nullptr && !state.message.empty()) return state.message;
    return {};
}

std::string text_for_caller(Link& link, Context& context, const Error& failure, const Handled& handled, int code) {
    auto text = written_for_caller(link, failure, handled);
    if (!text.empty()) return text;
    return std::string{phrase_of(code)}.append("; correlation id ").append(context.correlation_id());
}

}  // namespace

Error failure_of(const Handled& handled) {
    if (handled.failure != nullptr) return *handled.failure;
    const auto& outcome = handled.outcome;
    std::string text = outcome.kind() == Outcome::Kind::term ? "the handler said term" : "the handler said nack";
    if (!outcome.reason().empty()) text.append(": ").append(outcome.reason());
    return {Errc::remote, std::move(text)};
}

int code_of(const Error& failure, bool rejected) noexcept {
    const bool own = ErrorAccess::state(failure).origin != ErrorState::Origin::server;
    if (own && failure.remote_code() != 0) return failure.remote_code();
    if (rejected) return bad_request;
    switch (failure.condition().value_or(Condition::remote)) {
        case Condition::not_found: return not_found;
        case Condition::already_exists:
        case Condition::wrong_revision: return conflict;
        case Condition::no_responders:
        case Condition::disconnected: return unavailable;
        case Condition::timeout: return timed_out;
        default: return failed;
    }
}

std::string public_text(const Link& link, const Error& failure, const Handled& handled, int code) {
    auto text = written_for_caller(link, failure, handled);
    return text.empty() ? std::string{phrase_of(code)} : text;
}

Expected<void> answer_failure(Link& link, Context& context, const Error& failure, const Handled& handled, int code) {
    Headers headers;
    headers.set("Nats-Service-Error", header_text(text_for_caller(link, context, failure, handled, code)));
    headers.set("Nats-Service-Error-Code", std::to_string(code));
    const BufferLease body;
    const auto& value = ErrorAccess::state(failure).value;
    std::string_view type;
    if (value.encode != nullptr) type = value.encode(value.value.get(), ContextAccess::result_format(context), *body);
    return link.send_counted(link.traffic().replies(),
                             {.subject = context.message().reply_to(),
                              .payload = body->bytes(),
                              .headers = &headers,
                              .flush = Flush::now,
                              .lane = Lane::deliveries},
                             type, Outgoing::Kind::reply);
}

void count_error(std::vector<ErrorCount>& counts, int code, std::uint64_t more) {
    constexpr std::size_t most = 64;
    const auto place = std::ranges::lower_bound(counts, code, {}, &ErrorCount::code);
    if (place != counts.end() && place->code == code) place->count += more;
    else if (counts.size() < most) counts.insert(place, {.code = code, .count = more});
}

}  // namespace freshet::detail
