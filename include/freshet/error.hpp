// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <freshet/codec_format.hpp>

namespace freshet {

class Buffer;

namespace detail {

struct ErrorAccess;
struct ErrorState;

/// A value that an error carries as its body. It is encoded when the error is answered, in the format of the request.
struct ErrorValue {
    std::shared_ptr<const void> value = {};
    std::string_view (*encode)(const void* value, Format format, Buffer& out) = nullptr;
};

}  // namespace detail

/// The kind of an error, for callers that act on it, whichever layer failed. Compare with
/// `error.code() == Condition::timeout`.
enum class Condition {
    timeout = 1,     ///< nothing came back within the deadline
    no_responders,   ///< nobody listens on the subject asked
    not_found,       ///< the thing named does not exist
    already_exists,  ///< the thing named exists already
    wrong_revision,  ///< compare-and-set met another revision
    disconnected,    ///< the connection is gone, closed, or its buffer is full
    bad_payload,     ///< a body or header that cannot be encoded, decoded or sent
    bad_setup,       ///< a mistake in the program or its configuration
    remote,          ///< the other side answered with an error
};

/// The exact failure; each value belongs to one Condition.
enum class Errc {
    timeout = 1,
    no_responders,
    not_found,
    already_exists,
    wrong_revision,
    disconnected,       ///< Condition::disconnected: no server reachable, or the connection was lost
    closed,             ///< Condition::disconnected: the broker was stopped, or not yet started
    buffer_full,        ///< Condition::disconnected: publications waiting for the reconnect exceed the limit
    bad_payload,        ///< Condition::bad_payload: does not decode or encode
    payload_too_large,  ///< Condition::bad_payload: over the server's max_payload
    missing_header,     ///< Condition::bad_payload: a handler asked for a header that is not there
    bad_header,         ///< Condition::bad_payload: a header name or value that NATS cannot carry
    bad_path,           ///< Condition::bad_payload: a subject token that does not parse
    unmatched,          ///< Condition::bad_payload: no when() of a subscriber without a default handler matches
    bad_subject,        ///< Condition::bad_setup: not a valid subject or pattern
    unauthorized,       ///< Condition::bad_setup: the server refused the credentials or a permission
    bad_setup,          ///< Condition::bad_setup: everything else that is wrong before it starts
    remote,
    // JetStream:
    no_jetstream,         ///< Condition::no_responders: it is not enabled, or the context's domain or prefix is wrong
    server_too_old,       ///< Condition::bad_setup: a feature needs a newer server
    settings_differ,      ///< Condition::bad_setup: a stream, consumer or bucket exists with other settings
    subjects_overlap,     ///< Condition::bad_setup: another stream takes some of the subjects
    limit_reached,        ///< Condition::remote: of the account, the server or the stream
    stream_not_found,     ///< Condition::not_found
    consumer_not_found,   ///< Condition::not_found
    message_not_found,    ///< Condition::not_found
    stream_exists,        ///< Condition::already_exists: with another configuration
    consumer_exists,      ///< Condition::already_exists: with another configuration, or in use
    no_stream,            ///< Condition::no_responders: no stream takes the subject published to
    wrong_stream,         ///< Condition::bad_setup: another stream than expected takes the subject
    wrong_last_sequence,  ///< Condition::wrong_revision: of the stream or the subject
    wrong_last_id,        ///< Condition::wrong_revision: the last message id is another
    batch_refused,        ///< Condition::remote: an atomic batch was not stored
};

}  // namespace freshet

template <>
struct std::is_error_code_enum<freshet::Errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<freshet::Condition> : std::true_type {};

namespace freshet {

std::error_code make_error_code(Errc code) noexcept;
std::error_condition make_error_condition(Condition condition) noexcept;

/// Returns the name of the condition: "timeout", "no responders"...
const char* to_string(Condition condition) noexcept;

/// The one exception type that freshet throws, and the error of every Expected. what() says what was tried, on what,
/// and what to do.
class Error : public std::system_error {
public:
    Error(Errc code, std::string message);
    Error(std::error_code code, std::string message);
    Error(const Error&) = default;  // and so no move: an Error that was moved from keeps its message
    Error& operator=(const Error&) = default;

    const char* what() const noexcept override;
    std::string_view message() const noexcept;

    /// Compares as code() does: an Errc with the exact failure.
    friend bool operator==(const Error& error, Errc code) noexcept { return error.code() == code; }
    /// Compares as code() does: a Condition with the kind of the failure.
    friend bool operator==(const Error& error, Condition condition) noexcept { return error.code() == condition; }

    /// Returns the kind of the failure; nothing for an error of the operating system, such as a file that cannot be
    /// read.
    std::optional<Condition> condition() const noexcept;

    /// Returns the `Nats-Service-Error-Code` of a remote error (ADR-32), else 0.
    int remote_code() const noexcept;
    /// Returns the `Nats-Service-Error` of a remote error (ADR-32), without the text that message() puts before it;
    /// else an empty text.
    std::string_view remote_description() const noexcept;
    /// Returns true if the other side sent a body with its error.
    bool has_body() const noexcept;
    /// Decodes the body that the other side sent with its error: `error.body<Problem>()`. Throws Errc::bad_payload if
    /// there is none, or if it is no T.
    template <class T>
    T body() const;
    /// Decodes the body as body() does, but returns the Error instead of throwing it.
    template <class T>
    std::expected<T, Error> try_body() const;

private:
    friend struct detail::ErrorAccess;
    friend class RemoteError;
    Error(std::error_code code, std::shared_ptr<const detail::ErrorState> state) noexcept;

    std::shared_ptr<const detail::ErrorState> state_;  // shared: copying an exception must not throw
};

/// Throws `error`; as RemoteError if it is one.
[[noreturn]] void raise(const Error& error);

/// An error that travels (ADR-32): a handler throws it to choose the code of its answer, and a caller of a request
/// receives it when the other side answered with `Nats-Service-Error`.
///
/// An error of 400 to 499 that a handler throws or returns is an answer, not a failure of the handler: freshet counts
/// it as declined and logs it at level info, and a JetStream message is given up instead of tried again. With 408, 425
/// and 429, which say "later", it is tried again.
class RemoteError : public Error {
public:
    /// Makes an error of one line for an answer.
    /// @param code         `Nats-Service-Error-Code`, by habit an HTTP status
    /// @param description  `Nats-Service-Error`, one line, written for the caller
    RemoteError(int code, std::string description);
    /// Makes an error with a body, for callers that need more than a line: `RemoteError{404, "no such order",
    /// problem}`.
    /// @param body  a value of any type that has a codec; it is copied, and encoded as an answer would be
    template <class T>
    RemoteError(int code, std::string description, T body);

private:
    friend void freshet::raise(const Error& error);
    explicit RemoteError(const Error& error) : Error{error} {}
    RemoteError(int code, std::string description, detail::ErrorValue body);
};

/// A value, or the Error that a try_ function returns instead of throwing it.
template <class T>
using Expected = std::expected<T, Error>;

/// Returns an error value: `return failure(Errc::bad_payload, "...")`.
inline std::unexpected<Error> failure(Errc code, std::string message) {
    return std::unexpected<Error>{Error{code, std::move(message)}};
}

/// Returns the value of `result`, or throws its error.
template <class T>
T value_or_raise(Expected<T>&& result) {
    if (!result) raise(result.error());
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace freshet
