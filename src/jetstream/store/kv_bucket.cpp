// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/kv_bucket.hpp"

#include <utility>

#include <fmt/format.h>
#include <freshet/kv/kv.hpp>

#include "base/quoted.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/store/kv_entry.hpp"
#include "jetstream/store/latest.hpp"
#include "jetstream/store/stream_reader.hpp"
#include "jetstream/stream/stored_messages.hpp"

namespace freshet::detail {
namespace {

// "per-message ttl is disabled"
constexpr int err_no_ttl = 10'166;
// How often create tries: it writes over the deletion of a key, unless somebody else writes meanwhile.
constexpr int create_attempts = 4;

StoreSpec spec_of(std::string name, const kv::Options& options) {
    std::ignore = kv_stream(name, options, true);  // throws for invalid options
    return {.kind = StoreKind::key_value,
            .name = name,
            .declare = options.declare,
            .context = options.context,
            .stream = [name, options](bool fresh) { return kv_stream(name, options, fresh); }};
}

/// Returns the name of the bucket that has the keys: this one, or the one that it mirrors.
std::string_view origin_of(const js::StreamInfo& info) {
    std::string_view name = info.config.mirror ? info.config.mirror->name : info.config.name;
    if (name.starts_with(kv_stream_prefix)) name.remove_prefix(kv_stream_prefix.size());
    return name;
}

/// Appends `before` and the subject under which a key is stored.
void append_subject(std::string& out, std::string_view before, const js::StreamInfo& info, std::string_view key) {
    out.append(before).append("$KV.").append(origin_of(info)).append(".").append(key);
}

std::string subject_of(const js::StreamInfo& info, std::string_view key) {
    std::string subject;
    append_subject(subject, "", info, key);
    return subject;
}

/// Returns the subjects of the filters. Without a filter: the subject of every key, because the server needs one.
std::vector<std::string> subjects_of(const js::StreamInfo& info, const std::vector<std::string>& filters) {
    if (filters.empty()) return {subject_of(info, ">")};
    std::vector<std::string> subjects;
    for (const auto& filter : filters) subjects.push_back(subject_of(info, filter));
    return subjects;
}

/// Returns the prefix of the subject of a write: the prefix of the API of another domain or account.
std::string write_prefix(const JsApi& api, const js::StreamInfo& info) {
    if (const auto& mirror = info.config.mirror) {
        if (mirror->external && !mirror->external->api_prefix.empty()) return mirror->external->api_prefix + ".";
        if (!mirror->domain.empty()) return "$JS." + mirror->domain + ".API.";
    }
    const bool elsewhere = !api.options().domain.empty() || !api.options().prefix.empty();
    return elsewhere ? api.subject("") : std::string{};
}

/// Appends the subject of a direct get. It has the key in it, which costs least.
void append_direct_get(std::string& out, const JsApi& api, const js::StreamInfo& info, std::string_view key) {
    append_subject(out, api.subject("DIRECT.GET.") + info.config.name + ".", info, key);
}

js::Read reads(const js::StreamInfo& info) {
    const bool direct = info.config.allow_direct.value_or(false) || info.config.mirror_direct.value_or(false);
    return direct ? js::Read::direct : js::Read::leader;
}

Headers headers_of(const KvWrite& write) {
    Headers headers;
    if (write.operation != kv::Operation::put)
        headers.set("KV-Operation", write.operation == kv::Operation::purge ? "PURGE" : "DEL");
    if (write.operation == kv::Operation::purge) headers.set("Nats-Rollup", "sub");
    if (write.expected) headers.set("Nats-Expected-Last-Subject-Sequence", std::to_string(*write.expected));
    if (write.ttl.count() > 0) headers.set("Nats-TTL", duration_header(write.ttl));
    return headers;
}

/// Returns the record if it is a put; nothing for a deletion.
Expected<std::optional<KvRecord>> put_only(Expected<std::optional<KvRecord>> record) {
    if (record && *record && (*record)->operation != kv::Operation::put) return std::optional<KvRecord>{};
    return record;
}

/// Reads the answer to a direct get.
Expected<js::StoredMessage> read_direct(Expected<Message> answer) {
    if (!answer) return std::unexpected{std::move(answer).error()};
    return stored_from_direct("get", *std::move(answer));
}

/// Reads the answer of the API, which serves buckets without direct gets.
Expected<js::StoredMessage> read_stored(Expected<Message> answer) {
    if (!answer) return std::unexpected{std::move(answer).error()};
    const auto json = parse_js_answer("get", answer->text());
    if (!json) return std::unexpected{json.error()};
    if (const auto error = json->find("error"); error != json->end()) return std::unexpected{js_error("get", *error)};
    return stored_from_json("get", field<Json>(*json, "message", Json::object()));
}

Error write_error(std::string_view what, const Json& error) {
    if (field<int>(error, "err_code") == err_no_ttl) {
        return {Errc::bad_setup,
                fmt::format("{}: the bucket allows no TTL per key: declare it with limit_markers", what)};
    }
    return js_error(what, error);
}

}  // namespace

KvBucket::KvBucket(Link& link, std::string name, const kv::Options& options)
    : store_{link, spec_of(std::move(name), options)} {}

std::string KvBucket::what(std::string_view verb, std::string_view key) const {
    return fmt::format("{} key {} in {}", verb, detail::quoted(key), store_.what());
}

Expected<js::StoredMessage> KvBucket::read(const js::StreamInfo& info, std::string_view key, std::uint64_t revision,
                                           js::Read read) const {
    if (revision != 0) return store_.stream().try_message(revision, read);
    if (read == js::Read::leader) return store_.stream().try_last_message(subject_of(info, key), read);
    const BufferLease subject;
    append_direct_get(subject->string(), store_.api(), info, key);
    return read_direct(store_.link().request(subject->text(), {}, {.timeout = store_.api().options().timeout}));
}

Expected<std::optional<KvRecord>> KvBucket::latest(std::string_view key, std::uint64_t revision, js::Read how) {
    using Result = Expected<std::optional<KvRecord>>;
    if (auto valid = check_key(key); !valid) return std::unexpected{std::move(valid).error()};
    return store_.with_stream([&](const js::StreamInfo& info) -> Result {
        auto stored = read(info, key, revision, how == js::Read::leader ? how : reads(info));
        if (!stored && stored.error().code() != Errc::message_not_found)
            stored = std::unexpected{store_.why(stored.error())};
        return found(key, std::move(stored));
    });
}

Expected<std::optional<KvRecord>> KvBucket::found(std::string_view key, Expected<js::StoredMessage> stored) const {
    if (stored) {
        auto record = stored_record(store_.name(), *std::move(stored));
        return record.key == key ? std::optional{std::move(record)} : std::nullopt;
    }
    const auto& error = stored.error();
    if (error.code() == Errc::message_not_found) return std::optional<KvRecord>{};
    return std::unexpected{Error{error.code(), what("get", key) + ": " + std::string{error.message()}}};
}

Expected<std::optional<KvRecord>> KvBucket::get(std::string_view key, std::uint64_t revision) {
    return put_only(latest(key, revision, js::Read::direct));
}

void KvBucket::get_async(std::string_view key, KvFound done) {
    if (const auto valid = check_key(key); !valid) return done(std::unexpected{valid.error()});
    Asked asked{.key = std::string{key}, .done = std::move(done)};
    if (const auto info = store_.known()) return ask_latest(info, std::move(asked));
    store_.when_ready([self = shared_from_this(), asked = std::move(asked)](const StoreBucket::Ready& info) mutable {
        if (!info) return asked.done(std::unexpected{info.error()});
        self->ask_latest(*info, std::move(asked));
    });
}

void KvBucket::ask_latest(const std::shared_ptr<const js::StreamInfo>& info, Asked asked) {
    const bool direct = reads(*info) == js::Read::direct;
    const BufferLease subject;
    const BufferLease body;
    if (direct) {
        append_direct_get(subject->string(), store_.api(), *info, asked.key);
    } else {
        subject->string() = store_.api().subject("STREAM.MSG.GET.") + info->config.name;
        body->string() = Json{{"last_by_subj", subject_of(*info, asked.key)}}.dump();
    }
    auto answered = [self = shared_from_this(), info, direct, asked = std::move(asked)](Expected<Message> answer) mutable {
        auto stored = direct ? read_direct(std::move(answer)) : read_stored(std::move(answer));
        if (!stored && self->ask_later(info, asked, stored.error())) return;
        if (!stored) self->store_.note(info, stored.error());
        asked.done(put_only(self->found(asked.key, std::move(stored))));
    };
    store_.link().request_async(subject->text(), {.body = body->bytes()}, {.timeout = store_.api().options().timeout},
                                std::move(answered));
}

Expected<std::uint64_t> KvBucket::written(std::string_view key, std::string_view verb,
                                          const Expected<Message>& answer) const {
    if (!answer) {
        const auto& error = answer.error();
        return std::unexpected{Error{error.code(), what(verb, key) + ": " + std::string{error.message()}}};
    }
    if (const auto plain = parse_plain_ack(answer->text())) return plain->sequence;
    const auto ack = parse_js_answer(verb, answer->text());
    if (!ack) return std::unexpected{ack.error()};
    if (const auto error = ack->find("error"); error != ack->end())
        return std::unexpected{write_error(what(verb, key), *error)};
    return field<std::uint64_t>(*ack, "seq");
}

Expected<void> KvBucket::check(std::string_view key, const KvWrite& write) const {
    if (auto valid = check_key(key); !valid) return valid;
    if (write.ttl.count() != 0 && write.ttl < std::chrono::seconds{1})
        return failure(Errc::bad_setup, what(write.verb, key) + ": a TTL is at least one second");
    return {};
}

Expected<std::uint64_t> KvBucket::write(std::string_view key, const Encoded& encoded, const KvWrite& write) {
    if (auto valid = check(key, write); !valid) return std::unexpected{std::move(valid).error()};
    return store_.with_stream([&](const js::StreamInfo& info) {
        const BufferLease subject;
        append_subject(subject->string(), write_prefix(store_.api(), info), info, key);
        return written(key, write.verb,
                       store_.link().request(subject->text(), encoded,
                                             {.timeout = store_.api().options().timeout,
                                              .headers = headers_of(write)}));
    });
}

void KvBucket::write_async(std::string_view key, const Encoded& encoded, const KvWrite& write, KvWritten done) {
    if (const auto valid = check(key, write); !valid) return done(std::unexpected{valid.error()});
    if (const auto info = store_.known()) return send(info, key, encoded, write, std::move(done));
    store_.when_ready([self = shared_from_this(), key = std::string{key}, body = std::string{as_text(encoded.body)},
                       content_type = encoded.content_type, write,
                       done = std::move(done)](const StoreBucket::Ready& info) mutable {
        if (!info) return done(std::unexpected{info.error()});
        self->send(*info, key, {as_bytes(body), content_type}, write, std::move(done));
    });
}

void KvBucket::send(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key, const Encoded& encoded,
                    const KvWrite& write, KvWritten done) {
    if (!StoreBucket::in_cluster(*info)) return send_write(info, key, encoded, write, std::move(done));
    repeated_writes().write({.key = std::string{key},
                             .body = std::string{as_text(encoded.body)},
                             .content_type = encoded.content_type,
                             .write = write},
                            [self = shared_from_this(), done = std::move(done)](
                                Expected<std::uint64_t> revision) mutable { done(std::move(revision)); });
}

void KvBucket::send_write(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key,
                          const Encoded& encoded, const KvWrite& write, KvWritten done) {
    const BufferLease subject;
    append_subject(subject->string(), write_prefix(store_.api(), *info), *info, key);
    store_.link().request_async(subject->text(), encoded,
                                {.timeout = store_.api().options().timeout, .headers = headers_of(write)},
                                [self = shared_from_this(), info, key = std::string{key}, verb = write.verb,
                                 done = std::move(done)](const Expected<Message>& answer) mutable {
                                    auto revision = self->written(key, verb, answer);
                                    if (!revision) self->store_.note(info, revision.error());
                                    done(std::move(revision));
                                });
}

Expected<std::uint64_t> KvBucket::create(std::string_view key, const Encoded& encoded, std::chrono::nanoseconds ttl) {
    KvWrite attempt{.expected = 0, .ttl = ttl, .verb = "create"};
    for (int left = create_attempts;; --left) {
        auto written = write(key, encoded, attempt);
        if (written || written.error().code() != Errc::wrong_last_sequence) return written;
        const auto found = latest(key, 0, js::Read::leader);
        if (!found) return std::unexpected{found.error()};
        if (*found && (*found)->operation == kv::Operation::put)
            return failure(Errc::already_exists,
                           fmt::format("{}: it has a value, of revision {}", what("create", key), (*found)->revision));
        if (left == 1) return written;
        attempt.expected = *found ? (*found)->revision : 0;
    }
}

Expected<void> KvBucket::scan(const KvScan& scan, const std::function<bool(KvRecord)>& each) {
    for (const auto& filter : scan.filters)
        if (auto valid = check_key_filter(filter); !valid) return valid;
    if (scan.history) return read_stream(scan, each);
    std::vector<KvRecord> latest;
    auto done = read_stream(scan, [&](KvRecord record) {
        latest.push_back(std::move(record));
        return true;
    });
    if (!done) return done;
    keep_latest(latest, &KvRecord::key);
    for (auto& record : latest)
        if (!each(std::move(record))) break;
    return {};
}

Expected<void> KvBucket::read_stream(const KvScan& scan, const std::function<bool(KvRecord)>& each) {
    return store_.with_stream([&](const js::StreamInfo& info) -> Expected<void> {
        ReadSpec spec{.stream = info.config.name,
                      .last_per_subject = !scan.history,
                      .headers_only = !scan.values,
                      .what = "read " + store_.what()};
        spec.filters = subjects_of(info, scan.filters);
        StreamReader reader{store_.api(), std::move(spec)};
        for (bool any = false;; any = true) {
            auto message = reader.next();
            // Fails with Errc::timeout once entries were given, so that with_stream() does not begin again from the
            // start.
            if (!message && any) return failure(Errc::timeout, std::string{message.error().message()});
            if (!message) return std::unexpected{std::move(message).error()};
            if (!*message) return {};
            auto record = delivered_record(std::move((*message)->message), (*message)->metadata);
            if (!scan.values) record.message = {};
            if (!each(std::move(record))) return {};
        }
    });
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
        // Purges only up to the marker, because somebody may write the key meanwhile.
        const bool keep = record.created > keep_since;
        const auto purged = store_.stream().try_purge({.subject = subject_of(**info, record.key),
                                                       .up_to_sequence = keep ? record.revision : record.revision + 1});
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
    for (const auto& filter : filters)
        if (auto valid = check_key_filter(filter); !valid) return std::unexpected{std::move(valid).error()};
    const auto info = store_.ready();
    if (!info) return std::unexpected{info.error()};
    WatchSpec spec{.what = store_.what()};
    auto& ordered = spec.ordered;
    ordered.stream = (*info)->config.name;
    ordered.filter_subjects = subjects_of(**info, filters);
    ordered.deliver = options.updates_only      ? js::Deliver::fresh
                      : options.include_history ? js::Deliver::all
                                                : js::Deliver::last_per_subject;
    if (options.from_revision != 0) ordered.deliver = js::Deliver::from_sequence;
    ordered.start_sequence = options.from_revision;
    ordered.headers_only = options.meta_only;
    ordered.context = store_.api().options();
    spec.translate = [puts_only = options.ignore_deletes](const Message& stored, bool initial) -> Message {
        if (puts_only && operation_of(stored) != kv::Operation::put) return {};
        return watch_message(key_of(stored.subject()), stored, initial);
    };
    if (store_.declares()) spec.declare = [self = shared_from_this()] { return self->store_.declare_again(); };
    return spec;
}

}  // namespace freshet::detail
