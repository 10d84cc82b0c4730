// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>

#include <freshet/error.hpp>

namespace freshet::detail {

/// What an Error knows beside its code. Does not change once the Error is made.
struct ErrorState {
    enum class Origin : std::uint8_t {
        program,  ///< this program
        answer,   ///< this program, to be answered: a RemoteError that it made
        service,  ///< the other side of a request
        server,   ///< an API of the server: its numbers and texts say nothing to callers
    };

    std::string message = {};
    std::string for_callers = {};  ///< the text for the caller of the handler that fails with the error; empty: none
    std::string cause = {};        ///< the failure that an on_error function replaced by this one, as a log line has it
    const std::type_info* thrown = nullptr;  ///< the type of the exception that became this Error, if it was no Error
    int remote_code = 0;
    Origin origin = Origin::program;
    ErrorValue value = {};                 ///< the body of an answer
    std::optional<std::string> body = {};  ///< the body that was received
    std::string content_type = {};         ///< of the body that was received
};

/// The private half of Error, for freshet itself.
struct ErrorAccess {
    static Error make(std::error_code code, ErrorState state);
    static const ErrorState& state(const Error& error) noexcept { return *error.state_; }
    /// Returns a copy of `error` that was changed by `change(ErrorState&)`.
    template <class Change>
    static Error changed(const Error& error, Change&& change) {
        auto state = *error.state_;
        change(state);
        return make(error.code(), std::move(state));
    }
};

/// An error that the other side of a request answered with.
struct Received {
    ErrorState::Origin from = ErrorState::Origin::service;
    int code = 0;
    std::string_view description = {};
    std::string_view body = {};
    std::string_view content_type = {};
};

/// Returns the error that was received. Its message() is "what: description".
Error remote_error(std::string_view what, const Received& received);

/// Returns an error with a second text, for the caller of the handler that fails with it.
Error with_text_for_callers(Errc code, std::string message, std::string for_callers);

/// Returns true if `error` is a RemoteError that the program made: what a handler wants to answer.
bool is_answer(const Error& error) noexcept;
/// Returns true if a handler that fails with `error` has answered on purpose that it does not do what was asked: with a
/// RemoteError of its own, of 400 to 499.
bool declines(const Error& error) noexcept;
/// Returns true if `error` declines, and for good: if its code does not say "later".
bool declines_for_good(const Error& error) noexcept;

/// Returns the text of `error` for a log line: with the type of the exception that it was, and with the failure that it
/// replaced.
std::string log_text(const Error& error);

}  // namespace freshet::detail
