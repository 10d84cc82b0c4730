// SPDX-License-Identifier: Apache-2.0
#include "testing/memory/jetstream/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "jetstream/consume/consumer_settings.hpp"
#include "jetstream/stream/stream_settings.hpp"
#include "testing/memory/jetstream/subject_transform.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Json = nlohmann::json;

constexpr nanoseconds default_duplicate_window = std::chrono::minutes{2};
constexpr nanoseconds server_ack_wait = std::chrono::seconds{30};
constexpr nanoseconds shortest_heartbeat = std::chrono::milliseconds{100};
constexpr std::int64_t server_max_ack_pending = 1'000;

bool is_set(const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return !value.is_null() && !(value.is_structured() && value.empty()) && value != 0 && value != -1;
}

std::string not_simulated(std::string_view what) { return fmt::format("the memory server does not know {}", what); }

/// Returns a setting that this server does not simulate; nothing if it simulates all. num_replicas, storage,
/// compression, placement and persist_mode change nothing: there is one server, in memory.
std::optional<std::string> unknown_in(const Json& config, const std::vector<SettingLine>& lines) {
    for (const auto& [key, value] : config.items()) {
        const auto line = std::ranges::find(lines, key, &SettingLine::key);
        if (is_set(value) && (line == lines.end() || !line->traits.simulated)) return key;
    }
    return std::nullopt;
}

/// Returns a setting that differs although servers refuse to change it; nothing if there is none.
std::optional<std::string_view> fixed_that_differs(const Json& from, const Json& to,
                                                   const std::vector<SettingLine>& lines) {
    for (const auto& line : lines)
        if (line.traits.fixed && from.value(line.key, Json{}) != to.value(line.key, Json{})) return line.key;
    return std::nullopt;
}

void fill(Json& config, const char* key, const Json& value) {
    if (!config.contains(key)) config[key] = value;
}

ApiError bad_stream(std::string why) { return {500, 10052, std::move(why)}; }
ApiError bad_consumer(std::string why) { return {400, 10012, std::move(why)}; }

std::optional<ApiError> check_source(const Json& source) {
    if (source.contains("external")) return bad_stream(not_simulated("external of a source: it has one account"));
    if (const auto key = unknown_in(source, setting_lines<js::StreamSource>()))
        return bad_stream(not_simulated(fmt::format("{} of a source", *key)));
    const auto transforms = source.value("subject_transforms", Json::array());
    if (!transforms.empty() && !source.value("filter_subject", "").empty())
        return ApiError{400, 10144, "source with multiple subject transforms cannot also have a single subject filter"};
    for (const auto& transform : transforms)
        if (const auto made = SubjectTransform::make(transform); !made) return bad_stream(made.error());
    return std::nullopt;
}

std::optional<ApiError> check_transforms(const Json& config) {
    for (const auto* key : {"subject_transform", "republish"})
        if (config.contains(key))
            if (const auto made = SubjectTransform::make(config[key]); !made) return bad_stream(made.error());
    if (config.contains("mirror")) {
        if (!config.value("subjects", Json::array()).empty())
            return ApiError{400, 10034, "stream mirrors can not contain subjects"};
        if (auto error = check_source(config["mirror"])) return error;
    }
    for (const auto& source : config.value("sources", Json::array()))
        if (auto error = check_source(source)) return error;
    return std::nullopt;
}

void fill_stream(Json& config) {
    fill(config, "retention", "limits");
    fill(config, "storage", "file");
    fill(config, "discard", "old");
    fill(config, "compression", "none");
    fill(config, "num_replicas", 1);
    for (const auto* key : {"max_msgs", "max_bytes", "max_consumers", "max_msgs_per_subject", "max_msg_size"})
        if (config.value(key, std::int64_t{0}) == 0) config[key] = -1;
    fill(config, "max_age", 0);
    const auto age = config["max_age"].get<std::int64_t>();
    const auto window = default_duplicate_window.count();
    if (config.value("duplicate_window", std::int64_t{0}) == 0)
        config["duplicate_window"] = age > 0 ? std::min(age, window) : window;
    for (const auto* key :
         {"sealed", "deny_delete", "deny_purge", "allow_rollup_hdrs", "allow_direct", "mirror_direct", "allow_msg_ttl"})
        fill(config, key, false);
    fill(config, "consumer_limits", Json::object());
    if (config["sealed"] == true) config["deny_delete"] = config["deny_purge"] = true;
}

std::optional<ApiError> check_filters(const Json& config) {
    const auto filters = filters_of(config);
    for (std::size_t i = 0; i < filters.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (wire_overlaps(filters[i], filters[j]))
                return ApiError{400, 10138, "consumer subject filters cannot overlap"};
    return std::nullopt;
}

std::optional<ApiError> check_push(const Json& config) {
    const auto heartbeat = time_in(config, "idle_heartbeat");
    const bool flow_control = config.value("flow_control", false);
    if (config.value("deliver_subject", "").empty()) {
        if (flow_control || heartbeat.count() != 0 || !config.value("deliver_group", "").empty())
            return bad_consumer("consumer in pull mode can not have flow control, heartbeats or a deliver group");
        return std::nullopt;
    }
    if (heartbeat.count() != 0 && heartbeat < shortest_heartbeat)
        return ApiError{400, 10088, "consumer idle heartbeat needs to be >= 100ms"};
    if (flow_control && heartbeat.count() == 0)
        return ApiError{400, 10108, "consumer with flow control also needs heartbeats"};
    if (config.contains("priority_groups"))
        return ApiError{400, 10178, "priority groups can not be used with push consumers"};
    return std::nullopt;
}

std::optional<ApiError> check_consumer(const Json& config) {
    if (const auto key = unknown_in(config, consumer_setting_lines())) return bad_consumer(not_simulated(*key));
    if (config.value("replay_policy", "instant") != "instant")
        return bad_consumer(not_simulated("replay_policy original"));
    if (config.value("ack_policy", "") == "flow_control") return bad_consumer(not_simulated("ack_policy flow_control"));
    const auto backoff = config.value("backoff", Json::array()).size();
    const auto most = config.value("max_deliver", std::int64_t{-1});
    if (backoff > 0 && most > 0 && static_cast<std::int64_t>(backoff) > most)
        return ApiError{400, 10116, "max deliver is required to be > length of backoff values"};
    if (auto error = check_filters(config)) return error;
    return check_push(config);
}

}  // namespace

std::expected<Json, ApiError> complete_stream(std::string_view name, Json config) {
    if (const auto key = unknown_in(config, stream_setting_lines()))
        return std::unexpected{bad_stream(not_simulated(*key))};
    config["name"] = name;
    const bool gathers = config.contains("mirror") || !config.value("sources", Json::array()).empty();
    if (!gathers && config.value("subjects", Json::array()).empty()) config["subjects"] = Json::array({name});
    if (auto error = check_transforms(config)) return std::unexpected{*std::move(error)};
    fill_stream(config);
    if (const auto marker = time_in(config, "subject_delete_marker_ttl"); marker.count() > 0) {
        if (marker < std::chrono::seconds{1})
            return std::unexpected{bad_stream("subject delete marker TTL must be at least 1 second")};
        config["allow_msg_ttl"] = config["allow_rollup_hdrs"] = true;
        config["deny_purge"] = false;
    }
    return config;
}

std::expected<Json, ApiError> complete_consumer(Json config, const Json& stream) {
    if (auto error = check_consumer(config)) return std::unexpected{*std::move(error)};
    fill(config, "deliver_policy", "all");
    fill(config, "ack_policy", "none");
    fill(config, "replay_policy", "instant");
    fill(config, "max_deliver", -1);
    fill(config, "num_replicas", 0);
    const auto limits = stream.value("consumer_limits", Json::object());
    if (config["ack_policy"] != "none") {
        fill(config, "ack_wait", server_ack_wait.count());
        fill(config, "max_ack_pending", limits.value("max_ack_pending", server_max_ack_pending));
    }
    if (limits.contains("inactive_threshold")) fill(config, "inactive_threshold", limits["inactive_threshold"]);
    if (config.value("deliver_subject", "").empty()) fill(config, "max_waiting", 512);
    if (config.contains("backoff") && !config["backoff"].empty()) config["ack_wait"] = config["backoff"].front();
    return config;
}

std::optional<ApiError> check_stream_update(const Json& from, const Json& to) {
    if (const auto key = fixed_that_differs(from, to, stream_setting_lines()))
        return bad_stream(fmt::format("stream configuration update can not change {}", *key));
    if (from.value("sealed", false) && !to.value("sealed", false))
        return bad_stream("stream configuration update can not unseal a sealed stream");
    return std::nullopt;
}

std::optional<ApiError> check_consumer_update(const Json& from, const Json& to) {
    if (const auto key = fixed_that_differs(from, to, consumer_setting_lines()))
        return bad_consumer(fmt::format("{} can not be updated", *key));
    return std::nullopt;
}

bool filters_overlap(const Json& a, const Json& b) {
    const auto left = filters_of(a);
    const auto right = filters_of(b);
    if (left.empty() || right.empty()) return true;
    return std::ranges::any_of(left, [&](const auto& one) {
        return std::ranges::any_of(right, [&](const auto& other) { return wire_overlaps(one, other); });
    });
}

std::optional<nanoseconds> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        double nanoseconds;
    };
    constexpr std::array units{Unit{"ns", 1},   Unit{"us", 1e3},   Unit{"ms", 1e6}, Unit{"s", 1e9},
                               Unit{"m", 6e10}, Unit{"h", 3.6e12}, Unit{"", 1e9}};
    if (text.empty()) return std::nullopt;
    double sum = 0;
    while (!text.empty()) {
        double value = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (fault != std::errc{} || value < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto name = text.substr(0, text.find_first_of("0123456789."));
        const auto unit = std::ranges::find(units, name, &Unit::name);
        if (unit == units.end()) return std::nullopt;
        text.remove_prefix(name.size());
        sum += value * unit->nanoseconds;
    }
    return nanoseconds{static_cast<std::int64_t>(sum)};
}

}  // namespace freshet::detail
