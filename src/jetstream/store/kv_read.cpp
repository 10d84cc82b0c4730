// SPDX-License-Identifier: Apache-2.0
// Operations of a bucket over many keys.
#include <utility>

#include <freshet/kv/kv.hpp>

#include "jetstream/store/kv_bucket.hpp"
#include "jetstream/store/kv_entry.hpp"
#include "jetstream/store/kv_subjects.hpp"
#include "jetstream/store/latest.hpp"
#include "jetstream/store/stream_reader.hpp"

namespace freshet::detail {

Expected<void> KvBucket::scan(const KvScan& scan, const std::function<bool(KvRecord)>& each) {
    auto stored = stored_filters(scan.filters);
    if (!stored) return std::unexpected{std::move(stored).error()};
    if (scan.history) return read_stream(scan, *stored, each);
    std::vector<KvRecord> latest;
    auto done = read_stream(scan, *stored, [&](KvRecord record) {
        latest.push_back(std::move(record));
        return true;
    });
    if (!done) return done;
    keep_latest(latest, &KvRecord::key);
    for (auto& record : latest)
        if (!each(std::move(record))) break;
    return {};
}

Expected<std::vector<std::string>> KvBucket::stored_filters(const std::vector<std::string>& filters) const {
    std::vector<std::string> stored;
    for (const auto& filter : filters) {
        std::string memory;
        const auto one = codecs_.stored_filter(filter, memory);
        if (!one) return std::unexpected{one.error()};
        stored.emplace_back(*one);
    }
    return stored;
}

Expected<void> KvBucket::read_stream(const KvScan& scan, const std::vector<std::string>& filters,
                                     const std::function<bool(KvRecord)>& each) {
    std::optional<Error> broken;  // once entries were given, so that the read does not begin again
    auto done = store_.with_stream(StoreBucket::Repeat::harmless, [&](const js::StreamInfo& info) -> Expected<void> {
        ReadSpec spec{.stream = info.config.name,
                      .last_per_subject = !scan.history,
                      .headers_only = !scan.values,
                      .what = "read " + store_.what()};
        spec.filters = subjects_of(info, filters);
        StreamReader reader{store_.api(), std::move(spec)};
        for (bool any = false;; any = true) {
            auto message = reader.next();
            if (!message && any) {
                broken = std::move(message).error();
                return {};
            }
            if (!message) return std::unexpected{std::move(message).error()};
            if (!*message) return {};
            auto record = delivered_record(std::move((*message)->message), (*message)->metadata);
            if (!scan.values) record.message = {};
            codecs_.read(record);
            if (!each(std::move(record))) return {};
        }
    });
    if (broken) return std::unexpected{*std::move(broken)};
    return done;
}

Expected<std::uint64_t> KvBucket::purge_deletes(const kv::PurgeDeletesOptions& options) {
    std::vector<KvRecord> deleted;
    auto read = scan({.values = false}, [&](KvRecord record) {
        if (record.operation != kv::Operation::put) deleted.push_back(std::move(record));
        return true;
    });
    if (!read) return std::unexpected{std::move(read).error()};
    const auto keep_since = std::chrono::system_clock::now() - options.keep_markers;
    const auto info = store_.ready();
    if (!info) return std::unexpected{info.error()};
    for (const auto& record : deleted) {
        if (record.fault) continue;
        std::string memory;
        // Purges only up to the marker, because somebody may write the key meanwhile.
        const bool keep = record.created > keep_since;
        const js::PurgeOptions which{.subject = subject_of(**info, stored_key(record.key, memory)),
                                     .up_to_sequence = keep ? record.revision : record.revision + 1};
        const auto purged = store_.with_stream(StoreBucket::Repeat::harmless,
                                               [&](const js::StreamInfo&) { return store_.stream().try_purge(which); });
        if (!purged) return std::unexpected{purged.error()};
    }
    return deleted.size();
}

Expected<kv::Status> KvBucket::status() {
    auto info = store_.info();
    if (!info) return std::unexpected{std::move(info).error()};
    const auto& config = info->config;
    kv::Status status{.bucket = store_.name(),
                      .values = info->state.messages,
                      .bytes = info->state.bytes,
                      .history = config.max_msgs_per_subject.value_or(1),
                      .ttl = config.max_age.value_or(std::chrono::nanoseconds{0}),
                      .limit_markers = config.subject_delete_marker_ttl.value_or(std::chrono::nanoseconds{0}),
                      .compressed = config.compression.value_or(js::Compression::none) != js::Compression::none};
    status.stream = *std::move(info);
    return status;
}

Expected<WatchSpec> KvBucket::watch(const std::vector<std::string>& filters, const kv::WatchOptions& options) {
    const auto stored_names = stored_filters(filters);
    if (!stored_names) return std::unexpected{stored_names.error()};
    const auto info = store_.ready();
    if (!info) return std::unexpected{info.error()};
    WatchSpec spec{.what = store_.what()};
    auto& ordered = spec.ordered;
    ordered.stream = (*info)->config.name;
    ordered.filter_subjects = subjects_of(**info, *stored_names);
    ordered.deliver = options.updates_only      ? js::Deliver::fresh
                      : options.include_history ? js::Deliver::all
                                                : js::Deliver::last_per_subject;
    if (options.from_revision != 0) ordered.deliver = js::Deliver::from_sequence;
    ordered.start_sequence = options.from_revision;
    ordered.headers_only = options.meta_only;
    ordered.context = store_.api().options();
    spec.translate = [puts_only = options.ignore_deletes, with_values = !options.meta_only,
                      codecs = codecs_](const Message& stored, bool initial) -> Message {
        const bool is_put = operation_of(stored) == kv::Operation::put;
        if (puts_only && !is_put) return {};
        const auto key = key_of(stored.subject());
        if (!codecs.any()) return watch_message(key, stored, initial);
        const auto read = codecs.read(key, stored, is_put && with_values);
        return watch_message(read.subject(), read, initial);
    };
    if (store_.declares()) spec.declare = [self = shared_from_this()] { return self->store_.declare_again(); };
    return spec;
}

}  // namespace freshet::detail
