// SPDX-License-Identifier: Apache-2.0
#include "jetstream/stream/stream_config.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "jetstream/api/rfc3339.hpp"

namespace freshet::detail {
namespace {

using std::chrono::nanoseconds;
using Time = std::chrono::system_clock::time_point;

template <class E>
using Names = std::initializer_list<std::pair<E, std::string_view>>;

Names<js::Retention> names(js::Retention) {
    static constexpr Names<js::Retention> all{{js::Retention::limits, "limits"},
                                              {js::Retention::interest, "interest"},
                                              {js::Retention::workqueue, "workqueue"}};
    return all;
}
Names<js::Storage> names(js::Storage) {
    static constexpr Names<js::Storage> all{{js::Storage::file, "file"}, {js::Storage::memory, "memory"}};
    return all;
}
Names<js::Discard> names(js::Discard) {
    static constexpr Names<js::Discard> all{{js::Discard::oldest, "old"}, {js::Discard::incoming, "new"}};
    return all;
}
Names<js::Compression> names(js::Compression) {
    static constexpr Names<js::Compression> all{{js::Compression::none, "none"}, {js::Compression::s2, "s2"}};
    return all;
}
Names<js::PersistMode> names(js::PersistMode) {
    static constexpr Names<js::PersistMode> all{{js::PersistMode::flushed, "default"},
                                                {js::PersistMode::async, "async"}};
    return all;
}

template <class E>
std::string_view name_of(E value) {
    for (const auto& [known, name] : names(value))
        if (known == value) return name;
    return {};
}

/// As Go writes it, so that what comes back is equal: no zeros at the end of the fraction.
std::string time_text(Time time) {
    auto text = format_rfc3339(time);
    text.pop_back();
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + 'Z';
}

/// Writes the fields that are set into an object.
struct Writer {
    Json json = Json::object();

    template <class T>
    void operator()(const char* key, const std::optional<T>& value) {
        if (value) json[key] = encode(*value);
    }
    template <class T>
    void operator()(const char* key, const T& value) {
        if (value != T{}) json[key] = encode(value);
    }
    template <class T>
    void operator()(const char* key, const std::vector<T>& value) {
        if (value.empty()) return;
        auto& array = json[key] = Json::array();
        for (const auto& element : value) array.push_back(encode(element));
    }

    template <class T>
    static Json encode(const T& value);
};

/// Reads the fields that are there out of an object.
struct Reader {
    const Json& json;

    template <class T>
    void operator()(const char* key, std::optional<T>& value) const {
        if (const auto* found = find(key)) decode(*found, value.emplace());
    }
    template <class T>
    void operator()(const char* key, T& value) const {
        if (const auto* found = find(key)) decode(*found, value);
    }
    template <class T>
    void operator()(const char* key, std::vector<T>& value) const {
        if (const auto* found = find(key))
            for (const auto& element : *found) decode(element, value.emplace_back());
    }

    const Json* find(const char* key) const {
        const auto found = json.find(key);
        return found == json.end() || found->is_null() ? nullptr : &*found;
    }
    template <class T>
    static void decode(const Json& from, T& value);
};

// Each type's fields, once for both directions.
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::Placement>
void fields(T& value, Visit& visit) {
    visit("cluster", value.cluster);
    visit("tags", value.tags);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::SubjectTransform>
void fields(T& value, Visit& visit) {
    visit("src", value.source);
    visit("dest", value.destination);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::Republish>
void fields(T& value, Visit& visit) {
    visit("src", value.source);
    visit("dest", value.destination);
    visit("headers_only", value.headers_only);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::ExternalStream>
void fields(T& value, Visit& visit) {
    visit("api", value.api_prefix);
    visit("deliver", value.deliver_prefix);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::SourceConsumer>
void fields(T& value, Visit& visit) {
    visit("name", value.name);
    visit("deliver_subject", value.deliver_subject);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::StreamSource>
void fields(T& value, Visit& visit) {
    visit("name", value.name);
    visit("opt_start_seq", value.start_sequence);
    visit("opt_start_time", value.start_time);
    visit("filter_subject", value.filter_subject);
    visit("subject_transforms", value.transforms);
    visit("external", value.external);
    visit("consumer", value.consumer);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::ConsumerLimits>
void fields(T& value, Visit& visit) {
    visit("inactive_threshold", value.inactive_threshold);
    visit("max_ack_pending", value.max_ack_pending);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, js::Stream>
void fields(T& value, Visit& visit) {
    visit("name", value.name);
    visit("description", value.description);
    visit("subjects", value.subjects);
    visit("retention", value.retention);
    visit("storage", value.storage);
    visit("num_replicas", value.replicas);
    visit("max_msgs", value.max_msgs);
    visit("max_bytes", value.max_bytes);
    visit("max_age", value.max_age);
    visit("max_msgs_per_subject", value.max_msgs_per_subject);
    visit("max_msg_size", value.max_msg_size);
    visit("max_consumers", value.max_consumers);
    visit("discard", value.discard);
    visit("discard_new_per_subject", value.discard_new_per_subject);
    visit("duplicate_window", value.duplicate_window);
    visit("compression", value.compression);
    visit("no_ack", value.no_ack);
    visit("placement", value.placement);
    visit("mirror", value.mirror);
    visit("sources", value.sources);
    visit("subject_transform", value.transform);
    visit("republish", value.republish);
    visit("allow_direct", value.allow_direct);
    visit("mirror_direct", value.mirror_direct);
    visit("allow_rollup_hdrs", value.allow_rollup);
    visit("deny_delete", value.deny_delete);
    visit("deny_purge", value.deny_purge);
    visit("sealed", value.sealed);
    visit("first_seq", value.first_seq);
    visit("consumer_limits", value.consumer_limits);
    visit("allow_msg_ttl", value.allow_msg_ttl);
    visit("subject_delete_marker_ttl", value.subject_delete_marker_ttl);
    visit("allow_atomic", value.allow_atomic);
    visit("allow_msg_counter", value.allow_msg_counter);
    visit("allow_msg_schedules", value.allow_msg_schedules);
    visit("persist_mode", value.persist_mode);
    visit("allow_batched", value.allow_batched);
    visit("metadata", value.metadata);
}

template <class T>
Json Writer::encode(const T& value) {
    if constexpr (std::same_as<T, nanoseconds>) return value.count();
    else if constexpr (std::same_as<T, Time>) return time_text(value);
    else if constexpr (std::is_enum_v<T>) return name_of(value);
    else if constexpr (std::constructible_from<Json, const T&>) return Json(value);
    else {
        Writer writer;
        if constexpr (std::same_as<T, js::StreamSource>) {
            auto source = value;
            if (!source.domain.empty() && !source.external)
                source.external = js::ExternalStream{.api_prefix = "$JS." + source.domain + ".API"};
            fields(source, writer);
        } else {
            fields(value, writer);
        }
        return std::move(writer.json);
    }
}

template <class T>
void Reader::decode(const Json& from, T& value) {
    if constexpr (std::same_as<T, nanoseconds>) {
        value = nanoseconds{from.get<std::int64_t>()};
    } else if constexpr (std::same_as<T, Time>) {
        value = parse_rfc3339(from.get<std::string>()).value_or(Time{});
    } else if constexpr (std::is_enum_v<T>) {
        const auto text = from.get<std::string>();
        for (const auto& [known, name] : names(value))
            if (name == text) value = known;
    } else if constexpr (std::constructible_from<Json, const T&>) {
        from.get_to(value);
    } else {
        const Reader reader{from};
        fields(value, reader);
    }
}

Time time_field(const Json& json, const char* key) {
    return parse_rfc3339(field<std::string>(json, key)).value_or(Time{});
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
            .subjects = field<std::map<std::string, std::uint64_t>>(json, "subjects")};
}

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

js::SourceInfo source_from_json(const Json& json) {
    return {.name = field<std::string>(json, "name"),
            .lag = field<std::uint64_t>(json, "lag"),
            .active = nanoseconds{field<std::int64_t>(json, "active", -1)},
            .error = field<std::string>(field<Json>(json, "error", Json::object()), "description")};
}

}  // namespace

Json stream_to_json(const js::Stream& stream) { return Writer::encode(stream); }

js::Stream stream_from_json(const Json& json) {
    js::Stream stream;
    Reader::decode(json, stream);
    return stream;
}

js::StreamInfo stream_info_from_json(const Json& json) {
    js::StreamInfo info{.config = stream_from_json(json.at("config")),
                        .state = state_from_json(field<Json>(json, "state", Json::object())),
                        .created = time_field(json, "created"),
                        .domain = field<std::string>(json, "domain")};
    const Reader reader{json};
    if (const auto* cluster = reader.find("cluster")) info.cluster = cluster_from_json(*cluster);
    if (const auto* mirror = reader.find("mirror")) info.mirror = source_from_json(*mirror);
    for (const auto& source : field<Json>(json, "sources", Json::array()))
        info.sources.push_back(source_from_json(source));
    return info;
}

std::vector<SettingVersion> settings_with_version(const Json& config) {
    static constexpr std::array<SettingVersion, 16> all{{{"compression", "2.10"},
                                                         {"consumer_limits", "2.10"},
                                                         {"first_seq", "2.10"},
                                                         {"metadata", "2.10"},
                                                         {"mirror.subject_transforms", "2.10"},
                                                         {"sources.subject_transforms", "2.10"},
                                                         {"subject_transform", "2.10"},
                                                         {"allow_msg_ttl", "2.11"},
                                                         {"subject_delete_marker_ttl", "2.11"},
                                                         {"allow_atomic", "2.12"},
                                                         {"allow_msg_counter", "2.12"},
                                                         {"allow_msg_schedules", "2.12"},
                                                         {"persist_mode", "2.12"},
                                                         {"allow_batched", "2.14"},
                                                         {"mirror.consumer", "2.14"},
                                                         {"sources.consumer", "2.14"}}};
    std::vector<SettingVersion> used;
    for (const auto& entry : all) {
        // Switched off, it is what an older server does anyway.
        const auto* found = find_setting(config, entry.setting);
        if (found != nullptr && *found != Json(false) && *found != "none" && *found != "default" && *found != 0)
            used.push_back(entry);
    }
    return used;
}

}  // namespace freshet::detail
