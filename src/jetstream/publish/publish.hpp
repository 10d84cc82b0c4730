// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/js/publish_options.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// The headers that say what the options say, behind the user's own. Errc::bad_setup for options that contradict each other,
/// Errc::bad_header.
Expected<Headers> publish_headers(std::string_view subject, const js::PublishOptions& options);

/// Errc::server_too_old for an option that the server would ignore. Asks it once, and only for such options.
Expected<void> check_publish_options(const JsApi& api, const js::PublishOptions& options);

/// An acknowledgement that says no more than where the message is. A view of it.
struct PlainAck {
    std::string_view stream;
    std::uint64_t sequence;
};

/// `{"stream":"X","seq":7}`, or with a space behind the colon and the comma: what nearly all are, read without a JSON parser.
/// Other members: nothing.
std::optional<PlainAck> parse_plain_ack(std::string_view text) noexcept;

/// Whether a stream or the server has answered. A service that listens on the same subject may answer a publication, too, and first.
bool is_stream_answer(const Message& message) noexcept;

/// What came back for a publication: an acknowledgement, or the server's error. `subject` is for messages; so is whether others answered.
Expected<js::PublishAck> parse_publish_ack(std::string_view subject, std::string_view text);
Expected<js::PublishAck> publish_result(std::string_view subject, const Expected<Message>& reply,
                                        bool others_answered = false);

/// Publishes, and blocks until a stream has answered. `subject` was checked.
Expected<js::PublishAck> publish_and_wait(Link& link, std::string_view subject, const Encoded& encoded,
                                          const RequestOptions& options);

/// Publishes as the options say, repeats included, and blocks until a stream has answered.
Expected<js::PublishAck> publish_stored(const JsApi& api, std::string_view subject, const Encoded& encoded,
                                        const js::PublishOptions& options);

/// Whether sending it again may help, and cannot store it twice: `has_id` says that the server would notice.
bool may_retry(const Error& error, bool has_id);

/// A Go duration for headers: `90s`.
std::string duration_header(std::chrono::nanoseconds duration);

}  // namespace freshet::detail
