// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/js/declare.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/api/setting_fields.hpp"

namespace freshet::detail {

/// The settings in `wanted` that `found` has not: both are configurations as the API writes them. What is not in
/// `wanted` does not count, nor does the order of subjects, what Go omits (null, "", 0, false, [], {}), or -1 against
/// none. Of `metadata` each key counts for itself. `lines`: the table of these settings.
std::vector<js::Difference> compare_settings(const Json& wanted, const Json& found,
                                             const std::vector<SettingLine>& lines);

/// `found` with what `wanted` sets: what an update should send.
Json merge_settings(const Json& wanted, Json found);

/// The setting of a configuration, or null. `mirror.consumer` is within an object, `sources.consumer` within the first
/// element that has it.
const Json* find_setting(const Json& config, std::string_view setting);

/// A setting that servers from `version` on know; its name as find_setting takes it.
struct SettingVersion {
    std::string_view setting;
    std::string_view version;
};

/// Errc::server_too_old, naming the setting and its version, if the server says that it is older; `what` is `stream
/// "ORDERS"`. One before 2.11 does not say: see check_settings_kept.
Expected<void> check_settings_known(const JsApi& api, const std::vector<SettingVersion>& settings,
                                    std::string_view what);

/// The same from `config`, the server's answer: an old one leaves out what it does not know.
Expected<void> check_settings_kept(const std::vector<SettingVersion>& settings, const Json& config,
                                   std::string_view what);

/// "max_age is 1h, wanted 24h; storage is \"file\", wanted \"memory\"".
std::string describe(const std::vector<js::Difference>& differences);

/// Errc::settings_differ for what exists and is not as wanted; `what` is `stream "ORDERS"`.
Error settings_error(std::string_view what, const std::vector<js::Difference>& differences);

}  // namespace freshet::detail
