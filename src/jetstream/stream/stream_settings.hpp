// SPDX-License-Identifier: Apache-2.0
// The tables of the settings of a stream and of its parts; each setting has one line.
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
    visit("name", value.name);
    visit("opt_start_seq", value.start_sequence);
    visit("opt_start_time", value.start_time);
    visit("filter_subject", value.filter_subject);
    visit("subject_transforms", value.transforms);
    visit("external", value.external);
    visit("consumer", value.consumer);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, ConsumerLimits>
void fields(T& value, Visit& visit) {
    visit("inactive_threshold", value.inactive_threshold);
    visit("max_ack_pending", value.max_ack_pending);
}
template <class T, class Visit>
    requires std::same_as<std::remove_const_t<T>, Stream>
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
inline const std::vector<SettingLine>& stream_setting_lines() {
    static const auto all = [] {
        SettingLines collected;
        const js::Stream stream;
        js::fields(stream, collected);
        return std::move(collected.lines);
    }();
    return all;
}

}  // namespace freshet::detail
