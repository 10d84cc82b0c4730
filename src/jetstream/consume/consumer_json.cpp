// SPDX-License-Identifier: Apache-2.0
#include "jetstream/consume/consumer_json.hpp"

#include <utility>

#include <fmt/format.h>

#include "jetstream/api/rfc3339.hpp"
#include "jetstream/consume/consumer_settings.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;

std::optional<std::chrono::system_clock::time_point> date_of(const Json& json, const char* key) {
    return parse_rfc3339(field<std::string>(json, key));
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

Expected<js::ConsumerInfo> info_from_json(std::string_view what, const Json& answer) {
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

}  // namespace

Json consumer_to_json(const js::ConsumerConfig& config) {
    auto json = SettingWriter::encode(config);
    // A single filter has a setting of its own, which servers before 2.10 know too.
    if (config.filter_subjects.size() != 1) return json;
    json.erase("filter_subjects");
    json["filter_subject"] = config.filter_subjects.front();
    return json;
}

js::ConsumerConfig consumer_from_json(const Json& json) {
    js::ConsumerConfig config;
    SettingReader::decode(json, config);
    if (auto one = field<std::string>(json, "filter_subject"); config.filter_subjects.empty() && !one.empty())
        config.filter_subjects.push_back(std::move(one));
    return config;
}

Expected<js::ConsumerInfo> to_consumer_info(std::string_view what, const Json& answer) {
    try {
        return info_from_json(what, answer);
    } catch (const Json::exception& error) {
        return failure(Errc::bad_payload, fmt::format("{}: the answer is not as expected: {}", what, error.what()));
    }
}

std::vector<SettingVersion> consumer_settings_with_version(const Json& config) {
    std::vector<SettingVersion> found;
    for (const auto& line : consumer_setting_lines()) {
        const auto value = config.find(line.key);
        if (value == config.end() || value->is_null()) continue;
        auto since = line.traits.since;
        for (const auto& [name, later] : line.late_values)
            if (*value == name) since = later;
        if (!since.empty()) found.push_back({line.key, since});
    }
    return found;
}

}  // namespace freshet::detail
