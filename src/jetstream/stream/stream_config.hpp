// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/api/settings.hpp"

namespace freshet::detail {

/// The settings that are set, as STREAM.CREATE and STREAM.UPDATE take them.
Json stream_to_json(const js::Stream& stream);

/// A configuration of the server's: every setting it tells is set. Throws Json::exception for one of another shape.
js::Stream stream_from_json(const Json& json);

/// An answer of STREAM.CREATE, UPDATE or INFO, or an element of STREAM.LIST. Throws Json::exception.
js::StreamInfo stream_info_from_json(const Json& json);

/// Those in `config` that 2.9 does not know.
std::vector<SettingVersion> settings_with_version(const Json& config);

}  // namespace freshet::detail
