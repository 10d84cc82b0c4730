// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/stream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Makes sure that a stream is there, as its `declare` says. Blocks; logs what it changes.
Expected<js::StreamInfo> declare_stream(const JsApi& api, const js::Stream& stream);

/// Converts an answer; one of another shape is Errc::bad_payload.
Expected<js::StreamInfo> to_stream_info(std::string_view what, const Json& answer);

}  // namespace freshet::detail
