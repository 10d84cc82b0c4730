// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/js/consumer_config.hpp>
#include <freshet/js/consumer_info.hpp>

#include "jetstream/api/settings.hpp"

namespace freshet::detail {

/// What of a configuration is set, as the API writes it (ADR-37; ConsumerConfig in the server's consumer.go).
Json consumer_to_json(const js::ConsumerConfig& config);
js::ConsumerConfig consumer_from_json(const Json& config);

/// An answer of CONSUMER.INFO or CREATE; one of another shape is Errc::bad_payload.
Expected<js::ConsumerInfo> to_consumer_info(std::string_view what, const Json& answer);

/// The settings of `config` that 2.9 does not know.
std::vector<SettingVersion> consumer_settings_with_version(const Json& config);

}  // namespace freshet::detail
