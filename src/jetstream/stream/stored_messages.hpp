// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/js/stored_message.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Converts the `message` of an answer of STREAM.MSG.GET, which has headers and body in base64. Returns
/// Errc::bad_payload for another shape.
Expected<js::StoredMessage> stored_from_json(std::string_view what, const Json& message);

/// Converts an answer of DIRECT.GET (ADR-31): a message whose headers tell its place in the stream. Returns
/// Errc::message_not_found for status 404.
Expected<js::StoredMessage> stored_from_direct(std::string_view what, Message message);

/// The error of a question with DIRECT.GET: a stream without allow_direct does not listen.
Error direct_error(std::string_view what, const Error& error);

}  // namespace freshet::detail
