// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <freshet/js/stored_message.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// The `message` of an answer of STREAM.MSG.GET: base64 of headers and body. Errc::bad_payload for another shape.
Expected<js::StoredMessage> stored_from_json(std::string_view what, const Json& message);

/// An answer of DIRECT.GET (ADR-31): the message with headers that tell where it was. Errc::message_not_found for
/// status 404.
Expected<js::StoredMessage> stored_from_direct(std::string_view what, Message message);

}  // namespace freshet::detail
