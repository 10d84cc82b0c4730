// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/api/api.hpp"

namespace freshet::detail {

/// Makes sure that a stream is there, as its `declare` says. Blocks; logs what it changes.
Expected<js::StreamInfo> declare_stream(const JsApi& api, const js::Stream& stream);

/// Converts an answer; one of another shape is Errc::bad_payload.
Expected<js::StreamInfo> to_stream_info(std::string_view what, const Json& answer);

/// The settings of an existing stream that are not as in `stream`.
Expected<std::vector<js::Difference>> stream_differences(const JsApi& api, const js::Stream& stream);

/// The names of all streams, or of those that store `subject`.
Expected<std::vector<std::string>> stream_names(const JsApi& api, std::string_view subject);

/// The name of the stream that stores `subject`; Errc::stream_not_found if none does.
Expected<std::string> stream_of(const JsApi& api, std::string_view subject);

/// All streams, or those that store `subject`.
Expected<std::vector<js::StreamInfo>> list_streams(const JsApi& api, std::string_view subject);

}  // namespace freshet::detail
