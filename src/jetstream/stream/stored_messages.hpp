// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/js/stored_message.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Converts the `message` of an answer of STREAM.MSG.GET of `stream`, which has headers and body in base64. Returns
/// Errc::bad_payload for another shape.
Expected<js::StoredMessage> stored_from_json(std::string_view what, std::string_view stream, const Json& message);

/// Converts an answer of DIRECT.GET (ADR-31) of `stream`: a message whose headers tell its place in the stream. Returns
/// Errc::message_not_found for status 404.
Expected<js::StoredMessage> stored_from_direct(std::string_view what, std::string_view stream, Message message);

/// Returns the error of a question with DIRECT.GET that failed with `error`. Blocks to find out why nobody answered: a
/// stream without allow_direct does not listen.
Error direct_error(const JsApi& api, const std::string& stream, std::string_view what, const Error& error);

}  // namespace freshet::detail
