// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/stream_config.hpp"

#include <utility>

#include "jetstream/api/rfc3339.hpp"
#include "jetstream/stream/stream_settings.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Time = std::chrono::system_clock::time_point;

Time time_field(const Json& json, const char* key) {
    return parse_rfc3339(field<std::string>(json, key)).value_or(Time{});
}

std::optional<js::LostMessages> lost_from_json(const Json& json) {
    if (!json.is_object()) return std::nullopt;
    return js::LostMessages{.sequences = field<std::vector<std::uint64_t>>(json, "msgs"),
                            .bytes = field<std::uint64_t>(json, "bytes")};
}

js::StreamState state_from_json(const Json& json) {
    return {.messages = field<std::uint64_t>(json, "messages"),
            .bytes = field<std::uint64_t>(json, "bytes"),
            .first_sequence = field<std::uint64_t>(json, "first_seq"),
            .first_time = time_field(json, "first_ts"),
            .last_sequence = field<std::uint64_t>(json, "last_seq"),
            .last_time = time_field(json, "last_ts"),
            .consumers = field<std::uint64_t>(json, "consumer_count"),
            .num_subjects = field<std::uint64_t>(json, "num_subjects"),
            .num_deleted = field<std::uint64_t>(json, "num_deleted"),
            .deleted = field<std::vector<std::uint64_t>>(json, "deleted"),
            .subjects = field<std::map<std::string, std::uint64_t>>(json, "subjects"),
            .lost = lost_from_json(field<Json>(json, "lost"))};
}

}  // namespace

js::ClusterInfo cluster_from_json(const Json& json) {
    js::ClusterInfo cluster{.name = field<std::string>(json, "name"), .leader = field<std::string>(json, "leader")};
    for (const auto& replica : field<Json>(json, "replicas", Json::array())) {
        cluster.replicas.push_back({.name = field<std::string>(replica, "name"),
                                    .current = field<bool>(replica, "current"),
                                    .offline = field<bool>(replica, "offline"),
                                    .lag = field<std::uint64_t>(replica, "lag")});
    }
    return cluster;
}

namespace {

js::SourceInfo source_from_json(const Json& json) {
    js::SourceInfo source{
        .name = field<std::string>(json, "name"),
        .lag = field<std::uint64_t>(json, "lag"),
        .active = nanoseconds{field<std::int64_t>(json, "active", -1)},
        .error = field<std::string>(field<Json>(json, "error", Json::object()), "description"),
        .filter_subject = field<std::string>(json, "filter_subject"),
    };
    const SettingReader reader{json};
    reader("subject_transforms", source.transforms);
    reader("external", source.external);
    return source;
}

}  // namespace

Json stream_to_json(const js::Stream& stream) { return SettingWriter::encode(stream); }

js::Stream stream_from_json(const Json& json) {
    js::Stream stream;
    SettingReader::decode(json, stream);
    return stream;
}

js::StreamInfo stream_info_from_json(const Json& json) {
    js::StreamInfo info{.config = stream_from_json(json.at("config")),
                        .state = state_from_json(field<Json>(json, "state", Json::object())),
                        .created = time_field(json, "created"),
                        .domain = field<std::string>(json, "domain")};
    const SettingReader reader{json};
    if (const auto* cluster = reader.find("cluster")) info.cluster = cluster_from_json(*cluster);
    if (const auto* mirror = reader.find("mirror")) info.mirror = source_from_json(*mirror);
    for (const auto& source : field<Json>(json, "sources", Json::array()))
        info.sources.push_back(source_from_json(source));
    for (const auto& alternate : field<Json>(json, "alternates", Json::array())) {
        info.alternates.push_back({.name = field<std::string>(alternate, "name"),
                                   .cluster = field<std::string>(alternate, "cluster"),
                                   .domain = field<std::string>(alternate, "domain")});
    }
    return info;
}

std::vector<SettingVersion> stream_settings_with_version(const Json& config) {
    return late_settings(config, stream_setting_lines());
}

}  // namespace freshet::detail
