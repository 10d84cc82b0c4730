// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/js/publish_options.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Returns the user's headers and then those for the options. Errc::bad_setup for options that contradict each other,
/// Errc::bad_header for an invalid header.
Expected<Headers> publish_headers(std::string_view subject, const js::PublishOptions& options);

/// A feature that servers from `version` on have; literals.
struct Need {
    std::string_view version = {};  ///< empty: every server has it
    std::string_view feature = {};
};

/// Returns what the option that needs the newest server needs.
Need need_of(const js::PublishOptions& options) noexcept;

/// Returns Errc::server_too_old for an option that the server would ignore. Asks the server once, and only for such
/// options.
Expected<void> check_publish_options(const JsApi& api, const js::PublishOptions& options);

/// Returns whether the options say what must be stored before.
bool expects_order(const js::PublishOptions& options) noexcept;
/// Returns whether an expectation was not met.
bool is_unmet(const Error& error) noexcept;

/// Makes the headers of a message with an id ask whether the message is stored, and without storing it: the server
/// answers for an id that it knows before it refuses the value of this rollup.
void make_question(Headers& headers);
/// Returns whether the error answers that question with no.
bool says_not_stored(const Error& error) noexcept;

/// An acknowledgement with stream and sequence only. A view of its text.
struct PlainAck {
    std::string_view stream;
    std::uint64_t sequence;
};

/// Reads `{"stream":"X","seq":7}`, or the same with a space behind colon and comma, without a JSON parser. Nearly all
/// acknowledgements are such. Returns nothing if there are other members.
std::optional<PlainAck> parse_plain_ack(std::string_view text) noexcept;

/// Returns whether a stream or the server has answered. A service that listens on the same subject may answer a
/// publication too, and first.
bool is_stream_answer(const Message& message) noexcept;

/// Reads the answer to a publication: an acknowledgement, or the server's error. `subject` is for error messages,
/// and so is `others_answered`: whether other programs have answered.
Expected<js::PublishAck> parse_publish_ack(std::string_view subject, std::string_view text);
Expected<js::PublishAck> publish_result(std::string_view subject, const Expected<Message>& reply,
                                        bool others_answered = false);

/// Publishes a message and blocks until a stream has answered. The caller has checked `subject`.
Expected<js::PublishAck> publish_and_wait(Link& link, std::string_view subject, const Encoded& encoded,
                                          const RequestOptions& options);

/// Publishes as the options say, repeats included, and blocks until a stream has answered.
Expected<js::PublishAck> publish_stored(const JsApi& api, std::string_view subject, const Encoded& encoded,
                                        const js::PublishOptions& options);

/// Returns whether sending the message again may help and cannot store it twice. With `has_id` the server notices a
/// duplicate.
bool may_retry(const Error& error, bool has_id);

/// Returns a duration for headers as Go writes it: `90s`.
std::string duration_header(std::chrono::nanoseconds duration);

}  // namespace freshet::detail
