// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <freshet/js/declare.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/api/setting_fields.hpp"

namespace freshet::detail {

/// Returns the settings in `wanted` whose values differ in `found`; both are configurations as the API writes them.
/// Ignores settings that are not in `wanted`, the order of subjects, and the difference between values that Go omits
/// (null, "", 0, false, [], {}), or between -1 and none. Compares `metadata` key by key. `lines`: the table of these
/// settings.
std::vector<js::Difference> compare_settings(const Json& wanted, const Json& found,
                                             const std::vector<SettingLine>& lines);

/// `found` with what `wanted` sets, and without what is null there: what an update should send.
Json merge_settings(const Json& wanted, Json found);

/// Returns the setting of a configuration, or null. `mirror.consumer` is searched in an object, `sources.consumer` in
/// the first element that has it.
const Json* find_setting(const Json& config, std::string_view setting);

/// A setting that servers from `version` on know; `setting` is a name for find_setting.
struct SettingVersion {
    std::string setting;
    std::string_view version;
};

/// Returns the settings in `config` that server 2.9 does not know, by the table `lines`. Leaves out those that are
/// switched off, since they ask for what an older server does anyway.
std::vector<SettingVersion> late_settings(const Json& config, const std::vector<SettingLine>& lines);

/// Returns Errc::server_too_old with the setting and its version if the server says that it is older; `what` is `stream
/// "ORDERS"`. A server before 2.11 does not say so: see check_settings_kept.
Expected<void> check_settings_known(const JsApi& api, const std::vector<SettingVersion>& settings,
                                    std::string_view what);

/// Errc::server_too_old, naming the setting and its version, if `level` is too low for one.
Expected<void> check_settings_level(int level, const std::vector<SettingVersion>& settings, std::string_view what);

/// Returns Errc::server_too_old if `config`, the server's answer, lacks one of the settings: an old server leaves out
/// the settings that it does not know.
Expected<void> check_settings_kept(const std::vector<SettingVersion>& settings, const Json& config,
                                   std::string_view what);

/// Returns a text such as "max_age is 1h, wanted 24h; storage is \"file\", wanted \"memory\"".
std::string describe(const std::vector<js::Difference>& differences);

/// Returns Errc::settings_differ for a stream or consumer that exists with other settings; `what` is `stream "ORDERS"`.
Error settings_error(std::string_view what, const std::vector<js::Difference>& differences);

}  // namespace freshet::detail
