// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/kv_bucket.hpp"

#include <utility>

#include <fmt/format.h>
#include <freshet/kv/kv.hpp>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/publish/publish.hpp"
#include "jetstream/store/kv_entry.hpp"
#include "jetstream/store/kv_subjects.hpp"
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

Headers headers_of(const KvWrite& write, std::string_view id = {}) {
    Headers headers;
    if (!id.empty()) headers.set("Nats-Msg-Id", id);
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
    return stored_from_direct("get", {}, *std::move(answer));
}

/// Reads the answer of the API, which serves buckets without direct gets.
Expected<js::StoredMessage> read_stored(Expected<Message> answer) {
    if (!answer) return std::unexpected{std::move(answer).error()};
    const auto json = parse_js_answer("get", answer->text());
    if (!json) return std::unexpected{json.error()};
    if (const auto error = json->find("error"); error != json->end()) return std::unexpected{js_error("get", *error)};
    return stored_from_json("get", {}, field<Json>(*json, "message", Json::object()));
}

Error write_error(std::string_view what, const Json& error) {
    if (field<int>(error, "err_code") == err_no_ttl) {
        return {Errc::bad_setup,
                fmt::format("{}: the bucket allows no TTL per key; declare it with limit_markers", what)};
    }
    return js_error(what, error);
}

}  // namespace

KvBucket::KvBucket(Link& link, std::string name, const kv::Options& options)
    : store_{link, spec_of(std::move(name), options)}, codecs_{options.key_codec, options.value_codec} {}

Expected<void> KvBucket::check_key(std::string_view key) const {
    std::string memory;
    if (auto valid = codecs_.stored_key(key, memory); !valid) return std::unexpected{std::move(valid).error()};
    return {};
}

std::string_view KvBucket::stored_key(std::string_view key, std::string& memory) const {
    return value_or_raise(codecs_.stored_key(key, memory));
}

std::string KvBucket::what(std::string_view verb, std::string_view key) const {
    return fmt::format("{} key {} in {}", verb, detail::quoted(key), store_.what());
}

Expected<js::StoredMessage> KvBucket::read(const js::StreamInfo& info, std::string_view key, std::uint64_t revision,
                                           js::Read read) const {
    if (revision != 0) return store_.stream().try_message(revision, read);
    std::string memory;
    const auto stored = stored_key(key, memory);
    if (read == js::Read::leader) return store_.stream().try_last_message(subject_of(info, stored), read);
    const BufferLease subject;
    append_direct_get(subject->string(), store_.api(), info, stored);
    return read_direct(store_.link().request(subject->text(), {}, {.timeout = store_.api().options().timeout}));
}

Expected<std::optional<KvRecord>> KvBucket::latest(std::string_view key, std::uint64_t revision, js::Read how) {
    using Result = Expected<std::optional<KvRecord>>;
    if (auto valid = check_key(key); !valid) return std::unexpected{std::move(valid).error()};
    return store_.with_stream(StoreBucket::Repeat::harmless, [&](const js::StreamInfo& info) -> Result {
        auto stored = read(info, key, revision, how == js::Read::leader ? how : reads(info));
        if (!stored && stored.error().code() != Errc::message_not_found)
            stored = std::unexpected{store_.why(stored.error())};
        return found(key, std::move(stored));
    });
}

Expected<std::optional<KvRecord>> KvBucket::found(std::string_view key, Expected<js::StoredMessage> stored) const {
    if (stored) {
        auto record = stored_record(store_.name(), *std::move(stored));
        std::string memory;
        if (record.key != stored_key(key, memory)) return std::optional<KvRecord>{};
        codecs_.read(record);
        return std::optional{std::move(record)};
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
    ask({.key = std::string{key}, .done = std::move(done)});
}

void KvBucket::ask(Asked asked) {
    if (const auto info = store_.known()) return ask_latest(info, std::move(asked));
    store_.when_ready([self = shared_from_this(), asked = std::move(asked)](const StoreBucket::Ready& info) mutable {
        if (info) return self->ask_latest(*info, std::move(asked));
        if (!self->ask_later(asked, info.error())) asked.done(std::unexpected{info.error()});
    });
}

void KvBucket::ask_latest(const std::shared_ptr<const js::StreamInfo>& info, Asked asked) {
    const bool direct = reads(*info) == js::Read::direct;
    const BufferLease subject;
    const BufferLease body;
    std::string memory;
    const auto key = stored_key(asked.key, memory);
    if (direct) {
        append_direct_get(subject->string(), store_.api(), *info, key);
    } else {
        subject->string() = store_.api().subject("STREAM.MSG.GET.") + info->config.name;
        body->string() = Json{{"last_by_subj", subject_of(*info, key)}}.dump();
    }
    auto answered = [self = shared_from_this(), info, direct,
                     asked = std::move(asked)](Expected<Message> answer) mutable {
        auto stored = direct ? read_direct(std::move(answer)) : read_stored(std::move(answer));
        if (!stored) self->store_.note(info, stored.error());
        if (!stored && self->ask_later(asked, stored.error())) return;
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

Expected<Encoded> KvBucket::stored_value(std::string_view key, const Encoded& encoded, const KvWrite& write,
                                         std::string& memory) const {
    if (write.operation != kv::Operation::put) return encoded;
    auto value = codecs_.stored_value(encoded, memory);
    if (!value) {
        return std::unexpected{
            Error{value.error().code(), what(write.verb, key) + ": " + std::string{value.error().message()}}};
    }
    return value;
}

Expected<std::uint64_t> KvBucket::write(std::string_view key, const Encoded& encoded, const KvWrite& write) {
    if (auto valid = check(key, write); !valid) return std::unexpected{std::move(valid).error()};
    std::string key_memory;
    const auto stored = stored_key(key, key_memory);
    std::string value_memory;
    const auto value = stored_value(key, encoded, write, value_memory);
    if (!value) return std::unexpected{value.error()};
    std::string id;
    bool doubtful = false;  // an attempt before may have been stored
    return store_.with_stream(StoreBucket::Repeat::by_id, [&](const js::StreamInfo& info) {
        if (id.empty() && store_.takes_ids(info)) id = random_id();
        const BufferLease subject;
        append_subject(subject->string(), write_prefix(store_.api(), info), info, stored);
        const auto send = [&](Headers headers) {
            return written(key, write.verb,
                           store_.link().request(subject->text(), *value,
                                                 {.timeout = store_.api().options().timeout,
                                                  .headers = std::move(headers)}));
        };
        auto headers = headers_of(write, id);
        auto revision = send(headers);
        if (!revision && doubtful && is_unmet(revision.error())) {
            // Perhaps by this very write: servers with one replica look at expectations before they look at ids.
            make_question(headers);
            auto stored_before = send(std::move(headers));
            if (stored_before || !says_not_stored(stored_before.error())) return stored_before;
        }
        doubtful = doubtful || (!revision && !id.empty() && unanswered(revision.error()));
        return revision;
    });
}

void KvBucket::write_async(std::string_view key, const Encoded& encoded, const KvWrite& write, KvWritten done) {
    if (const auto valid = check(key, write); !valid) return done(std::unexpected{valid.error()});
    std::string memory;
    const auto value = stored_value(key, encoded, write, memory);
    if (!value) return done(std::unexpected{value.error()});
    // In an election nobody may know where the stream is. The write waits its turn all the same.
    if (store_.clustered()) return send_repeatedly(key, *value, write, std::move(done));
    if (const auto info = store_.known()) return send(info, key, *value, write, std::move(done));
    store_.when_ready([self = shared_from_this(), key = std::string{key}, body = std::string{as_text(value->body)},
                       content_type = value->content_type, write,
                       done = std::move(done)](const StoreBucket::Ready& info) mutable {
        if (!info) return done(std::unexpected{info.error()});
        self->send(*info, key, {as_bytes(body), content_type}, write, std::move(done));
    });
}

void KvBucket::send(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key, const Encoded& encoded,
                    const KvWrite& write, KvWritten done) {
    if (StoreBucket::in_cluster(*info)) return send_repeatedly(key, encoded, write, std::move(done));
    send_write(info, key, encoded, write, headers_of(write), std::move(done));
}

void KvBucket::send_repeatedly(std::string_view key, const Encoded& encoded, const KvWrite& write, KvWritten done) {
    repeated_writes().write({.key = std::string{key},
                             .body = std::string{as_text(encoded.body)},
                             .content_type = encoded.content_type,
                             .write = write,
                             .id = random_id()},
                            [self = shared_from_this(), done = std::move(done)](
                                Expected<std::uint64_t> revision) mutable { done(std::move(revision)); });
}

void KvBucket::send_write(const std::shared_ptr<const js::StreamInfo>& info, const KvOutgoing& message,
                          KvWritten done) {
    auto headers = headers_of(message.write, store_.takes_ids(*info) ? message.id : std::string_view{});
    if (message.asks) make_question(headers);
    send_write(info, message.key, {as_bytes(message.body), message.content_type}, message.write, std::move(headers),
               std::move(done));
}

void KvBucket::send_write(const std::shared_ptr<const js::StreamInfo>& info, std::string_view key,
                          const Encoded& encoded, const KvWrite& write, Headers headers, KvWritten done) {
    const BufferLease subject;
    std::string memory;
    append_subject(subject->string(), write_prefix(store_.api(), *info), *info, stored_key(key, memory));
    store_.link().request_async(subject->text(), encoded,
                                {.timeout = store_.api().options().timeout, .headers = std::move(headers)},
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
            return failure(Errc::already_exists, fmt::format("{}: it has a value already, of revision {}",
                                                             what("create", key), (*found)->revision));
        if (left == 1) return written;
        attempt.expected = *found ? (*found)->revision : 0;
    }
}

}  // namespace freshet::detail
