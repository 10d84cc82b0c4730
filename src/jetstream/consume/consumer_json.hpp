// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/consumer_info.hpp>

#include "jetstream/api/settings.hpp"

namespace freshet::detail {

/// Returns the settings that are set, as the API writes them (ADR-37; ConsumerConfig in the server's consumer.go).
Json consumer_to_json(const js::ConsumerConfig& config);
js::ConsumerConfig consumer_from_json(const Json& config);

/// Converts an answer of CONSUMER.INFO or CREATE; returns Errc::bad_payload for one of another shape.
Expected<js::ConsumerInfo> to_consumer_info(std::string_view what, const Json& answer);

/// Returns the settings of `config` that server 2.9 does not know.
std::vector<SettingVersion> consumer_settings_with_version(const Json& config);

}  // namespace freshet::detail
