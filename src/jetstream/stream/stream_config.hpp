// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/api/settings.hpp"

namespace freshet::detail {

/// Returns the settings that are set, as STREAM.CREATE and STREAM.UPDATE take them.
Json stream_to_json(const js::Stream& stream);

/// Converts a configuration of the server's; every setting that it has is set. Throws Json::exception for one of
/// another shape.
js::Stream stream_from_json(const Json& json);

/// Converts an answer of STREAM.CREATE, UPDATE or INFO, or an element of STREAM.LIST. Throws Json::exception for one of
/// another shape.
js::StreamInfo stream_info_from_json(const Json& json);

/// Converts the `cluster` of an answer about a stream or a consumer.
js::ClusterInfo cluster_from_json(const Json& json);

/// Returns the settings in `config` that server 2.9 does not know.
std::vector<SettingVersion> stream_settings_with_version(const Json& config);

}  // namespace freshet::detail
