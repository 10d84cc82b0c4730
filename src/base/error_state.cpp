// SPDX-License-Identifier: Apache-2.0
#include "base/error_state.hpp"

#include <memory>
#include <utility>

#include "base/type_text.hpp"

namespace freshet::detail {
namespace {

bool says_later(int code) noexcept {
    constexpr int request_timeout = 408;
    constexpr int too_early = 425;
    constexpr int too_many_requests = 429;
    return code == request_timeout || code == too_early || code == too_many_requests;
}

}  // namespace

Error ErrorAccess::make(std::error_code code, ErrorState state) {
    return {code, std::make_shared<const ErrorState>(std::move(state))};
}

Error remote_error(std::string_view what, const Received& received) {
    // Assigned, not initialized: an optimising GCC 14 warns of members that an exception would leave without a value.
    ErrorState state;
    state.for_callers = received.description;
    state.remote_code = received.code;
    state.origin = received.from;
    state.content_type = received.content_type;
    state.message.append(what).append(": ").append(received.description.empty() ? std::string_view{"no description"}
                                                                                : received.description);
    if (!received.body.empty()) state.body.emplace(received.body);
    return ErrorAccess::make(Errc::remote, std::move(state));
}

Error with_text_for_callers(Errc code, std::string message, std::string for_callers) {
    return ErrorAccess::make(code, {.message = std::move(message), .for_callers = std::move(for_callers)});
}

bool is_answer(const Error& error) noexcept { return ErrorAccess::state(error).origin == ErrorState::Origin::answer; }

bool declines(const Error& error) noexcept {
    const int code = error.remote_code();
    return is_answer(error) && code >= 400 && code < 500;
}

bool declines_for_good(const Error& error) noexcept { return declines(error) && !says_later(error.remote_code()); }

std::string log_text(const Error& error) {
    const auto& state = ErrorAccess::state(error);
    if (!state.cause.empty() && state.cause.ends_with(state.message)) return state.cause;
    std::string text;
    if (state.thrown != nullptr) text.append(type_text(state.thrown->name())).append(": ");
    text += state.message;
    if (!state.cause.empty()) text.append("; the cause: ").append(state.cause);
    return text;
}

}  // namespace freshet::detail
