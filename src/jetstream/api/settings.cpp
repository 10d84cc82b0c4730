// SPDX-License-Identifier: Apache-2.0
#include "jetstream/api/settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace freshet::detail {
namespace {

bool is_nothing(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null: return true;
        case Json::value_t::boolean: return !value.get<bool>();
        case Json::value_t::number_integer: return value == 0 || value == -1;
        case Json::value_t::number_unsigned: return value == 0U;
        case Json::value_t::string: return value == "" || value == "none" || value == "default";
        case Json::value_t::array:
        case Json::value_t::object: return value.empty();
        default: return false;
    }
}

/// Returns the value without parts that mean nothing, so that two ways to write one value are equal.
Json normalised(const Json& value) {
    if (is_nothing(value)) return {};
    if (value.is_array()) {
        auto result = Json::array();
        for (const auto& element : value) result.push_back(normalised(element));
        // Subjects, tags and sources are sets; numbers (a backoff) are a list.
        if (std::none_of(result.begin(), result.end(), [](const Json& element) { return element.is_number(); }))
            std::sort(result.begin(), result.end());
        return result;
    }
    if (value.is_object()) {
        auto result = Json::object();
        for (const auto& [key, member] : value.items()) {
            if (auto kept = normalised(member); !kept.is_null()) result[key] = std::move(kept);
        }
        return result.empty() ? Json{} : result;
    }
    return value;
}

std::string duration_text(std::int64_t nanoseconds) {
    struct Unit {
        std::int64_t size;
        const char* name;
    };
    constexpr std::array units{Unit{86'400'000'000'000, "d"},
                               Unit{3'600'000'000'000, "h"},
                               Unit{60'000'000'000, "m"},
                               Unit{1'000'000'000, "s"},
                               Unit{1'000'000, "ms"},
                               Unit{1'000, "us"},
                               Unit{1, "ns"}};
    if (nanoseconds <= 0) return "none";
    std::string text;
    for (const auto& [size, name] : units) {
        if (nanoseconds < size) continue;
        text += fmt::format("{}{}", nanoseconds / size, name);
        nanoseconds %= size;
    }
    return text;
}

std::string value_text(bool duration, const Json& value) {
    if (duration && value.is_number_integer()) return duration_text(value.get<std::int64_t>());
    if (is_nothing(value) && !value.is_boolean()) return "none";
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void compare(const std::string& name, bool duration, const Json& wanted, const Json& found,
             std::vector<js::Difference>& differences) {
    if (normalised(wanted) == normalised(found)) return;
    differences.push_back(
        {.setting = name, .found = value_text(duration, found), .wanted = value_text(duration, wanted)});
}

Json member(const Json& json, const std::string& key) {
    const auto found = json.find(key);
    return found == json.end() ? Json{} : *found;
}

void gather_late(const Json& config, const std::vector<SettingLine>& lines, const std::string& prefix,
                 std::vector<SettingVersion>& late) {
    if (config.is_array())
        for (const auto& element : config) gather_late(element, lines, prefix, late);
    if (!config.is_object()) return;
    for (const auto& line : lines) {
        const auto value = config.find(line.key);
        if (value == config.end() || is_nothing(*value)) continue;
        const auto name = prefix + std::string{line.key};
        auto since = line.traits.since;
        for (const auto& [text, later] : line.late_values)
            if (*value == text) since = later;
        if (!since.empty() && std::ranges::find(late, name, &SettingVersion::setting) == late.end())
            late.push_back({name, since});
        if (!line.parts.empty()) gather_late(*value, line.parts, name + '.', late);
    }
}

}  // namespace

std::vector<js::Difference> compare_settings(const Json& wanted, const Json& found,
                                             const std::vector<SettingLine>& lines) {
    std::vector<js::Difference> differences;
    for (const auto& [key, value] : wanted.items()) {
        const auto existing = member(found, key);
        if (key == "metadata" && value.is_object()) {
            for (const auto& [name, text] : value.items())
                compare("metadata." + name, false, text, member(existing, name), differences);
        } else {
            const auto line = std::ranges::find(lines, key, &SettingLine::key);
            compare(key, line != lines.end() && line->duration, value, existing, differences);
        }
    }
    return differences;
}

Json merge_settings(const Json& wanted, Json found) {
    for (const auto& [key, value] : wanted.items()) {
        if (value.is_null()) found.erase(key);
        else if (key == "metadata" && value.is_object() && found.contains(key)) found[key].update(value);
        else found[key] = value;
    }
    return found;
}

std::vector<SettingVersion> late_settings(const Json& config, const std::vector<SettingLine>& lines) {
    std::vector<SettingVersion> late;
    gather_late(config, lines, "", late);
    return late;
}

const Json* find_setting(const Json& config, std::string_view setting) {
    if (config.is_array()) {
        for (const auto& element : config)
            if (const auto* found = find_setting(element, setting)) return found;
        return nullptr;
    }
    const auto dot = setting.find('.');
    const auto found = config.find(setting.substr(0, dot));
    if (found == config.end()) return nullptr;
    return dot == std::string_view::npos ? &*found : find_setting(*found, setting.substr(dot + 1));
}

Expected<void> check_settings_known(const JsApi& api, const std::vector<SettingVersion>& settings,
                                    std::string_view what) {
    for (const auto& [setting, version] : settings) {
        if (version == "2.10") continue;
        if (auto known = api.needs(version, fmt::format("{} of {}", setting, what)); !known) return known;
    }
    return {};
}

Expected<void> check_settings_level(int level, const std::vector<SettingVersion>& settings, std::string_view what) {
    for (const auto& [setting, version] : settings) {
        if (version == "2.10") continue;
        if (auto known = check_level(level, version, fmt::format("{} of {}", setting, what)); !known) return known;
    }
    return {};
}

Expected<void> check_settings_kept(const std::vector<SettingVersion>& settings, const Json& config,
                                   std::string_view what) {
    for (const auto& [setting, version] : settings) {
        if (find_setting(config, setting) != nullptr) continue;
        return failure(Errc::server_too_old,
                       fmt::format("{} of {} needs nats-server {} or later: this server does not know it", setting,
                                   what, version));
    }
    return {};
}

std::string describe(const std::vector<js::Difference>& differences) {
    std::string text;
    for (const auto& [setting, found, wanted] : differences)
        text += fmt::format("{}{} is {}, wanted {}", text.empty() ? "" : "; ", setting, found, wanted);
    return text;
}

Error settings_error(std::string_view what, const std::vector<js::Difference>& differences) {
    return {Errc::settings_differ,
            fmt::format(
                "{} exists with other settings: {}; change the program, or let Declare::reconcile change the settings",
                what, describe(differences))};
}

}  // namespace freshet::detail
