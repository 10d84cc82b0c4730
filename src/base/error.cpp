// SPDX-License-Identifier: Apache-2.0
#include <freshet/error.hpp>

#include "base/error_state.hpp"

namespace freshet {
namespace {

Condition condition_of(Errc code) noexcept {
    switch (code) {
        case Errc::timeout: return Condition::timeout;
        case Errc::no_responders: return Condition::no_responders;
        case Errc::not_found: return Condition::not_found;
        case Errc::already_exists: return Condition::already_exists;
        case Errc::wrong_revision: return Condition::wrong_revision;
        case Errc::disconnected:
        case Errc::closed:
        case Errc::buffer_full: return Condition::disconnected;
        case Errc::bad_payload:
        case Errc::payload_too_large:
        case Errc::missing_header:
        case Errc::bad_header:
        case Errc::bad_path:
        case Errc::unmatched: return Condition::bad_payload;
        case Errc::bad_subject:
        case Errc::unauthorized:
        case Errc::bad_setup: return Condition::bad_setup;
        case Errc::remote:
        case Errc::batch_refused:
        case Errc::limit_reached: return Condition::remote;
        case Errc::no_jetstream:
        case Errc::no_stream: return Condition::no_responders;
        case Errc::server_too_old:
        case Errc::settings_differ:
        case Errc::subjects_overlap:
        case Errc::wrong_stream: return Condition::bad_setup;
        case Errc::stream_not_found:
        case Errc::consumer_not_found:
        case Errc::message_not_found: return Condition::not_found;
        case Errc::stream_exists:
        case Errc::consumer_exists: return Condition::already_exists;
        case Errc::wrong_last_sequence:
        case Errc::wrong_last_id: return Condition::wrong_revision;
    }
    return Condition::bad_setup;
}

const char* text_of(Errc code) noexcept {
    switch (code) {
        case Errc::closed: return "closed";
        case Errc::buffer_full: return "buffer full";
        case Errc::payload_too_large: return "payload too large";
        case Errc::missing_header: return "missing header";
        case Errc::bad_header: return "bad header";
        case Errc::bad_path: return "bad path parameter";
        case Errc::unmatched: return "unmatched message";
        case Errc::bad_subject: return "bad subject";
        case Errc::unauthorized: return "unauthorized";
        case Errc::no_jetstream: return "no JetStream";
        case Errc::server_too_old: return "server too old";
        case Errc::settings_differ: return "settings differ";
        case Errc::subjects_overlap: return "subjects overlap";
        case Errc::limit_reached: return "limit reached";
        case Errc::stream_not_found: return "stream not found";
        case Errc::consumer_not_found: return "consumer not found";
        case Errc::message_not_found: return "message not found";
        case Errc::stream_exists: return "stream exists";
        case Errc::consumer_exists: return "consumer exists";
        case Errc::no_stream: return "no stream";
        case Errc::wrong_stream: return "wrong stream";
        case Errc::wrong_last_sequence: return "wrong last sequence";
        case Errc::wrong_last_id: return "wrong last message id";
        case Errc::batch_refused: return "batch refused";
        default: return to_string(condition_of(code));
    }
}

class ConditionCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "freshet condition"; }
    std::string message(int value) const override { return to_string(static_cast<Condition>(value)); }
};

// The categories are never destroyed: a static broker may go after them, and errors are made until the process has
// ended.

const ConditionCategory& condition_category() noexcept {
    static const auto& category = *new ConditionCategory;
    return category;
}

class ErrcCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "freshet"; }
    std::string message(int value) const override { return text_of(static_cast<Errc>(value)); }
    std::error_condition default_error_condition(int value) const noexcept override {
        return make_error_condition(condition_of(static_cast<Errc>(value)));
    }
};

}  // namespace

std::error_code make_error_code(Errc code) noexcept {
    static const auto& category = *new ErrcCategory;
    return {static_cast<int>(code), category};
}

std::error_condition make_error_condition(Condition condition) noexcept {
    return {static_cast<int>(condition), condition_category()};
}

const char* to_string(Condition condition) noexcept {
    switch (condition) {
        case Condition::timeout: return "timeout";
        case Condition::no_responders: return "no responders";
        case Condition::not_found: return "not found";
        case Condition::already_exists: return "already exists";
        case Condition::wrong_revision: return "wrong revision";
        case Condition::disconnected: return "disconnected";
        case Condition::bad_payload: return "bad payload";
        case Condition::bad_setup: return "bad setup";
        case Condition::remote: return "remote error";
    }
    return "unknown";
}

Error::Error(Errc code, std::string message) : Error{make_error_code(code), std::move(message)} {}

Error::Error(std::error_code code, std::string message)
    : Error{code, std::make_shared<const detail::ErrorState>(detail::ErrorState{.message = std::move(message)})} {}

Error::Error(std::error_code code, std::shared_ptr<const detail::ErrorState> state) noexcept
    : std::system_error{code}, state_{std::move(state)} {}

const char* Error::what() const noexcept { return state_->message.c_str(); }

std::string_view Error::message() const noexcept { return state_->message; }

int Error::remote_code() const noexcept { return state_->remote_code; }

std::string_view Error::remote_description() const noexcept {
    return code() == Errc::remote ? state_->for_callers : std::string_view{};
}

bool Error::has_body() const noexcept { return state_->body || state_->value.encode != nullptr; }

std::optional<Condition> Error::condition() const noexcept {
    const auto found = code().default_error_condition();
    if (found.category() != condition_category()) return std::nullopt;
    return static_cast<Condition>(found.value());
}

RemoteError::RemoteError(int code, std::string description)
    : RemoteError{code, std::move(description), detail::ErrorValue{}} {}

RemoteError::RemoteError(int code, std::string description, detail::ErrorValue body)
    : Error{detail::ErrorAccess::make(Errc::remote, {.message = description,
                                                     .for_callers = description,
                                                     .remote_code = code,
                                                     .origin = detail::ErrorState::Origin::answer,
                                                     .value = std::move(body)})} {}

void raise(const Error& error) {
    if (error.code() == Errc::remote) throw RemoteError{error};
    throw error;
}

}  // namespace freshet
