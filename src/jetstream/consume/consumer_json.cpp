// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_json.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "jetstream/api/rfc3339.hpp"

namespace freshet::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, const char*>, N>;

constexpr Names<js::Deliver, 6> deliver_names{{{js::Deliver::all, "all"},
                                               {js::Deliver::fresh, "new"},
                                               {js::Deliver::last, "last"},
                                               {js::Deliver::last_per_subject, "last_per_subject"},
                                               {js::Deliver::from_sequence, "by_start_sequence"},
                                               {js::Deliver::from_time, "by_start_time"}}};
constexpr Names<js::Acks, 3> acks_names{
    {{js::Acks::explicit_, "explicit"}, {js::Acks::none, "none"}, {js::Acks::all, "all"}}};
constexpr Names<js::Replay, 2> replay_names{{{js::Replay::instant, "instant"}, {js::Replay::original, "original"}}};
constexpr Names<js::PriorityPolicy, 4> priority_names{{{js::PriorityPolicy::none, "none"},
                                                       {js::PriorityPolicy::overflow, "overflow"},
                                                       {js::PriorityPolicy::pinned_client, "pinned_client"},
                                                       {js::PriorityPolicy::prioritized, "prioritized"}}};

template <class Enum, std::size_t N>
const char* name_of(const Names<Enum, N>& names, Enum value) {
    return std::ranges::find(names, value, &std::pair<Enum, const char*>::first)->second;
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const Names<Enum, N>& names, std::string_view name) {
    for (const auto& [value, known] : names)
        if (name == known) return value;
    return std::nullopt;
}

template <class T>
void set(Json& json, const char* key, const T& value) {
    if (value != T{}) json[key] = value;
}

void set_time(Json& json, const char* key, milliseconds value) { set(json, key, nanoseconds{value}.count()); }

milliseconds time_of(const Json& json, const char* key) {
    return std::chrono::duration_cast<milliseconds>(nanoseconds{field<std::int64_t>(json, key)});
}

std::optional<std::chrono::system_clock::time_point> date_of(const Json& json, const char* key) {
    return parse_rfc3339(field<std::string>(json, key));
}

void put_filters(Json& json, const std::vector<std::string>& subjects) {
    if (subjects.size() == 1) json["filter_subject"] = subjects.front();
    else if (!subjects.empty()) json["filter_subjects"] = subjects;
}

std::vector<std::string> filters_of(const Json& json) {
    auto many = field<std::vector<std::string>>(json, "filter_subjects");
    if (const auto one = field<std::string>(json, "filter_subject"); many.empty() && !one.empty()) many.push_back(one);
    return many;
}

void read_cluster(const Json& answer, js::ConsumerInfo& info) {
    const auto found = answer.find("cluster");
    if (found == answer.end() || !found->is_object()) return;
    js::ClusterInfo cluster{.name = field<std::string>(*found, "name"), .leader = field<std::string>(*found, "leader")};
    for (const auto& peer : found->value("replicas", Json::array())) {
        cluster.replicas.push_back({.name = field<std::string>(peer, "name"),
                                    .current = field<bool>(peer, "current"),
                                    .offline = field<bool>(peer, "offline"),
                                    .lag = field<std::uint64_t>(peer, "lag")});
    }
    info.cluster = std::move(cluster);
}

}  // namespace

Json consumer_to_json(const js::ConsumerConfig& config) {
    auto json = Json::object();
    if (config.deliver) json["deliver_policy"] = name_of(deliver_names, *config.deliver);
    set(json, "opt_start_seq", config.start_sequence);
    if (config.start_time) json["opt_start_time"] = format_rfc3339(*config.start_time);
    put_filters(json, config.filter_subjects);
    if (config.acks) json["ack_policy"] = name_of(acks_names, *config.acks);
    if (config.replay) json["replay_policy"] = name_of(replay_names, *config.replay);
    set(json, "headers_only", config.headers_only);
    set_time(json, "ack_wait", config.ack_wait);
    set(json, "max_ack_pending", config.max_ack_pending);
    set(json, "max_deliver", config.max_deliver);
    for (const auto wait : config.backoff) json["backoff"].push_back(nanoseconds{wait}.count());
    set_time(json, "inactive_threshold", config.inactive_threshold);
    set(json, "max_waiting", config.max_waiting);
    set(json, "max_batch", config.max_request_batch);
    set(json, "max_bytes", config.max_request_bytes);
    set_time(json, "max_expires", config.max_request_expires);
    set(json, "rate_limit_bps", config.rate_limit);
    set(json, "sample_freq", config.sample_frequency);
    set(json, "num_replicas", config.replicas);
    set(json, "mem_storage", config.memory_storage);
    if (config.priority_policy != js::PriorityPolicy::none)
        json["priority_policy"] = name_of(priority_names, config.priority_policy);
    set(json, "priority_groups", config.priority_groups);
    set_time(json, "priority_timeout", config.priority_timeout);
    if (config.pause_until) json["pause_until"] = format_rfc3339(*config.pause_until);
    set(json, "description", config.description);
    set(json, "metadata", config.metadata);
    return json;
}

js::ConsumerConfig consumer_from_json(const Json& json) {
    js::ConsumerConfig config{
        .deliver = value_of(deliver_names, field<std::string>(json, "deliver_policy")),
        .start_sequence = field<std::uint64_t>(json, "opt_start_seq"),
        .start_time = date_of(json, "opt_start_time"),
        .filter_subjects = filters_of(json),
        .acks = value_of(acks_names, field<std::string>(json, "ack_policy")),
        .replay = value_of(replay_names, field<std::string>(json, "replay_policy")),
        .headers_only = field<bool>(json, "headers_only"),
        .ack_wait = time_of(json, "ack_wait"),
        .max_ack_pending = field<std::int64_t>(json, "max_ack_pending"),
        .max_deliver = field<std::int64_t>(json, "max_deliver"),
        .inactive_threshold = time_of(json, "inactive_threshold"),
        .max_waiting = field<std::int64_t>(json, "max_waiting"),
        .max_request_batch = field<std::int64_t>(json, "max_batch"),
        .max_request_bytes = field<std::int64_t>(json, "max_bytes"),
        .max_request_expires = time_of(json, "max_expires"),
        .rate_limit = field<std::int64_t>(json, "rate_limit_bps"),
        .sample_frequency = field<std::string>(json, "sample_freq"),
        .replicas = field<int>(json, "num_replicas"),
        .memory_storage = field<bool>(json, "mem_storage"),
        .priority_policy =
            value_of(priority_names, field<std::string>(json, "priority_policy")).value_or(js::PriorityPolicy::none),
        .priority_groups = field<std::vector<std::string>>(json, "priority_groups"),
        .priority_timeout = time_of(json, "priority_timeout"),
        .pause_until = date_of(json, "pause_until"),
        .description = field<std::string>(json, "description"),
        .metadata = field<std::map<std::string, std::string>>(json, "metadata"),
    };
    for (const auto wait : field<std::vector<std::int64_t>>(json, "backoff"))
        config.backoff.push_back(std::chrono::duration_cast<milliseconds>(nanoseconds{wait}));
    return config;
}

Expected<js::ConsumerInfo> to_consumer_info(std::string_view what, const Json& answer) {
    const auto found = answer.find("config");
    if (found == answer.end() || !found->is_object())
        return failure(Errc::bad_payload, fmt::format("{}: the answer has no consumer's configuration", what));
    const auto delivered = answer.value("delivered", Json::object());
    const auto ack_floor = answer.value("ack_floor", Json::object());
    js::ConsumerInfo info{
        .stream = field<std::string>(answer, "stream_name"),
        .name = field<std::string>(answer, "name"),
        .durable = !field<std::string>(*found, "durable_name").empty(),
        .push = !field<std::string>(*found, "deliver_subject").empty(),
        .config = consumer_from_json(*found),
        .created = date_of(answer, "created").value_or(std::chrono::system_clock::time_point{}),
        .delivered_consumer_sequence = field<std::uint64_t>(delivered, "consumer_seq"),
        .delivered_stream_sequence = field<std::uint64_t>(delivered, "stream_seq"),
        .ack_floor_consumer_sequence = field<std::uint64_t>(ack_floor, "consumer_seq"),
        .ack_floor_stream_sequence = field<std::uint64_t>(ack_floor, "stream_seq"),
        .ack_pending = field<std::uint64_t>(answer, "num_ack_pending"),
        .redelivered = field<std::uint64_t>(answer, "num_redelivered"),
        .waiting = field<std::uint64_t>(answer, "num_waiting"),
        .pending = field<std::uint64_t>(answer, "num_pending"),
        .paused = field<bool>(answer, "paused"),
        .pause_remaining = nanoseconds{field<std::int64_t>(answer, "pause_remaining")},
    };
    for (const auto& group : answer.value("priority_groups", Json::array()))
        info.pinned_client = field<std::string>(group, "pinned_client_id");
    read_cluster(answer, info);
    return info;
}

std::vector<SettingVersion> consumer_settings_with_version(const Json& config) {
    constexpr std::array<SettingVersion, 6> all{{{"filter_subjects", "2.10"},
                                                 {"metadata", "2.10"},
                                                 {"pause_until", "2.11"},
                                                 {"priority_groups", "2.11"},
                                                 {"priority_policy", "2.11"},
                                                 {"priority_timeout", "2.11"}}};
    std::vector<SettingVersion> found;
    for (const auto& [setting, version] : all) {
        if (!config.contains(setting)) continue;
        const bool prioritized = config[setting] == "prioritized";
        found.push_back({setting, prioritized ? "2.12" : version});
    }
    return found;
}

}  // namespace freshet::detail
