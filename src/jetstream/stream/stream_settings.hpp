// SPDX-License-Identifier: Apache-2.0
// The tables of the settings of a stream and of its parts. To add one, add a member to its struct in
// <freshet/js/stream.hpp> and its line here. The JSON, the check of the server's version, the comparison with an
// existing stream, and the memory server read the line; tests/jetstream/stream/stream_config_test.cpp checks all lines.
#pragma once

#include <concepts>
#include <type_traits>
#include <vector>

#include <freshet/js/stream.hpp>

#include "jetstream/api/setting_fields.hpp"

namespace freshet::js {

inline auto names(Retention) {
    static constexpr detail::ValueNames<Retention> all{
        {Retention::limits, "limits"}, {Retention::interest, "interest"}, {Retention::workqueue, "workqueue"}};
    return all;
}
inline auto names(Storage) {
    static constexpr detail::ValueNames<Storage> all{{Storage::file, "file"}, {Storage::memory, "memory"}};
    return all;
}
inline auto names(Discard) {
    static constexpr detail::ValueNames<Discard> all{{Discard::oldest, "old"}, {Discard::incoming, "new"}};
    return all;
}
inline auto names(Compression) {
    static constexpr detail::ValueNames<Compression> all{{Compression::none, "none"}, {Compression::s2, "s2"}};
    return all;
}
inline auto names(PersistMode) {
    static constexpr detail::ValueNames<PersistMode> all{{PersistMode::flushed, "default"},
                                                         {PersistMode::async, "async"}};
    return all;
}

template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, Placement>
void fields(T& value, Visit& visit) {
    visit("cluster", value.cluster);
    visit("tags", value.tags);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, SubjectTransform>
void fields(T& value, Visit& visit) {
    visit("src", value.source);
    visit("dest", value.destination);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, Republish>
void fields(T& value, Visit& visit) {
    visit("src", value.source);
    visit("dest", value.destination);
    visit("headers_only", value.headers_only);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, ExternalStream>
void fields(T& value, Visit& visit) {
    visit("api", value.api_prefix);
    visit("deliver", value.deliver_prefix);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, SourceConsumer>
void fields(T& value, Visit& visit) {
    visit("name", value.name);
    visit("deliver_subject", value.deliver_subject);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, StreamSource>
void fields(T& value, Visit& visit) {
    visit("name", value.name, {.simulated = true});
    visit("opt_start_seq", value.start_sequence, {.simulated = true});
    visit("opt_start_time", value.start_time, {.simulated = true});
    visit("filter_subject", value.filter_subject, {.simulated = true});
    visit("subject_transforms", value.transforms, {.since = "2.10", .simulated = true});
    visit("external", value.external);
    visit("consumer", value.consumer, {.since = "2.14"});
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, ConsumerLimits>
void fields(T& value, Visit& visit) {
    visit("inactive_threshold", value.inactive_threshold);
    visit("max_ack_pending", value.max_ack_pending);
}
/// Visits each setting; SettingTraits explains the properties.
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, Stream>
void fields(T& value, Visit& visit) {
    visit("name", value.name, {.simulated = true});
    visit("description", value.description, {.simulated = true});
    visit("subjects", value.subjects, {.simulated = true});
    visit("retention", value.retention, {.fixed = true, .simulated = true});
    visit("storage", value.storage, {.fixed = true, .simulated = true});
    visit("num_replicas", value.replicas, {.simulated = true});
    visit("max_msgs", value.max_msgs, {.simulated = true});
    visit("max_bytes", value.max_bytes, {.simulated = true});
    visit("max_age", value.max_age, {.simulated = true});
    visit("max_msgs_per_subject", value.max_msgs_per_subject, {.simulated = true});
    visit("max_msg_size", value.max_msg_size, {.simulated = true});
    visit("max_consumers", value.max_consumers, {.simulated = true});
    visit("discard", value.discard, {.simulated = true});
    visit("discard_new_per_subject", value.discard_new_per_subject, {.simulated = true});
    visit("duplicate_window", value.duplicate_window, {.simulated = true});
    visit("compression", value.compression, {.since = "2.10", .simulated = true});
    visit("no_ack", value.no_ack, {.simulated = true});
    visit("placement", value.placement, {.simulated = true});
    visit("mirror", value.mirror, {.simulated = true});
    visit("sources", value.sources, {.simulated = true});
    visit("subject_transform", value.transform, {.since = "2.10", .simulated = true});
    visit("republish", value.republish, {.simulated = true});
    visit("allow_direct", value.allow_direct, {.simulated = true});
    visit("mirror_direct", value.mirror_direct, {.simulated = true});
    visit("allow_rollup_hdrs", value.allow_rollup, {.simulated = true});
    visit("deny_delete", value.deny_delete, {.simulated = true});
    visit("deny_purge", value.deny_purge, {.simulated = true});
    visit("sealed", value.sealed, {.simulated = true});
    visit("first_seq", value.first_seq, {.since = "2.10", .simulated = true});
    visit("consumer_limits", value.consumer_limits, {.since = "2.10", .simulated = true});
    visit("allow_msg_ttl", value.allow_msg_ttl, {.since = "2.11", .simulated = true});
    visit("subject_delete_marker_ttl", value.subject_delete_marker_ttl, {.since = "2.11", .simulated = true});
    visit("allow_atomic", value.allow_atomic, {.since = "2.12", .simulated = true});
    visit("allow_msg_counter", value.allow_msg_counter, {.since = "2.12", .fixed = true, .simulated = true});
    visit("allow_msg_schedules", value.allow_msg_schedules, {.since = "2.12", .simulated = true});
    visit("persist_mode", value.persist_mode, {.since = "2.12", .simulated = true});
    visit("allow_batched", value.allow_batched, {.since = "2.14"});
    visit("metadata", value.metadata, {.since = "2.10", .simulated = true});
}

}  // namespace freshet::js

namespace freshet::detail {

/// Writes a domain as an external stream's API prefix.
template <>
inline Json SettingWriter::encode(const js::StreamSource& value) {
    auto source = value;
    if (!source.domain.empty() && !source.external)
        source.external = js::ExternalStream{.api_prefix = "$JS." + source.domain + ".API"};
    SettingWriter writer;
    fields(source, writer);
    return std::move(writer.json);
}

/// A republication without a source takes all subjects, and servers say so.
template <>
inline Json SettingWriter::encode(const js::Republish& value) {
    auto republish = value;
    if (republish.source.empty() && !republish.destination.empty()) republish.source = ">";
    SettingWriter writer;
    fields(republish, writer);
    return std::move(writer.json);
}

/// Returns the lines of a stream's table.
inline const std::vector<SettingLine>& stream_setting_lines() { return setting_lines<js::Stream>(); }

}  // namespace freshet::detail
