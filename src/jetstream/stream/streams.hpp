// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Makes sure that a stream exists, as its `declare` says. Blocks; logs the settings that it changes.
Expected<js::StreamInfo> declare_stream(const JsApi& api, const js::Stream& stream);

/// Converts an answer; returns Errc::bad_payload for one of another shape.
Expected<js::StreamInfo> to_stream_info(std::string_view what, const Json& answer);

/// Returns the settings of an existing stream that are not as in `stream`. Blocks.
Expected<std::vector<js::Difference>> stream_differences(const JsApi& api, const js::Stream& stream);

/// Returns the names of all streams, or of those that store `subject`. Blocks.
Expected<std::vector<std::string>> stream_names(const JsApi& api, std::string_view subject);

/// Returns the name of the stream that stores `subject`; Errc::stream_not_found if none does. Blocks.
Expected<std::string> stream_of(const JsApi& api, std::string_view subject);

/// Returns all streams, or those that store `subject`. Blocks.
Expected<std::vector<js::StreamInfo>> list_streams(const JsApi& api, std::string_view subject);

}  // namespace freshet::detail
