// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/object_bucket.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/store/chunk_digest.hpp"
#include "jetstream/store/chunk_window.hpp"
#include "jetstream/store/digest.hpp"
#include "jetstream/store/latest.hpp"
#include "jetstream/store/object_doubt.hpp"
#include "jetstream/store/object_json.hpp"
#include "jetstream/store/object_names.hpp"
#include "jetstream/store/stream_reader.hpp"

namespace freshet::detail {
namespace {

constexpr int max_links = 8;
constexpr std::size_t default_chunk_size = std::size_t{128} << 10;

StoreSpec spec_of(std::string name, const obj::Options& options) {
    return {.kind = StoreKind::object,
            .name = name,
            .declare = options.declare,
            .context = options.context,
            .stream = [name, options](bool fresh) { return object_stream(name, options, fresh); }};
}

}  // namespace

js::Stream object_stream(const std::string& bucket, const obj::Options& options, bool fresh) {
    js::Stream stream{.name = "OBJ_" + bucket,
                      .description = options.description,
                      .subjects = {"$O." + bucket + ".C.>", "$O." + bucket + ".M.>"},
                      .storage = options.storage,
                      .replicas = options.replicas,
                      .max_bytes = options.max_bytes,
                      .max_age = options.ttl,
                      .compression = options.compression,
                      .placement = options.placement,
                      .allow_rollup = true,
                      .metadata = options.metadata,
                      .declare = options.declare};
    if (fresh || options.max_bytes) stream.discard = js::Discard::incoming;
    if (fresh) stream.allow_direct = true;
    return stream;
}

ObjectBucket::ObjectBucket(Link& link, std::string name, const obj::Options& options)
    : store_{link, spec_of(std::move(name), options)} {}

std::string ObjectBucket::what(std::string_view verb, std::string_view name) const {
    return fmt::format("{} object {} in {}", verb, detail::quoted(name), store_.what());
}

std::string ObjectBucket::meta_subject(std::string_view name) const {
    return "$O." + store_.name() + ".M." + base64url(as_bytes(name));
}

std::string ObjectBucket::chunk_subject(std::string_view id) const {
    return "$O." + store_.name() + ".C." + std::string{id};
}

std::string ObjectBucket::write_prefix() {
    const auto& options = store_.api().options();
    if (options.domain.empty() && options.prefix.empty()) return {};
    {
        const std::lock_guard lock{mutex_};
        if (write_prefix_) return *write_prefix_;
    }
    auto prefix = find_write_prefix();
    const std::lock_guard lock{mutex_};
    return write_prefix_.emplace(std::move(prefix));
}

/// Returns the prefix of the API of the other domain or account, as for the keys of a bucket, if somebody listens for
/// objects there. Servers map no objects of a domain by themselves; then the prefix is empty, unless that would reach
/// another bucket.
std::string ObjectBucket::find_write_prefix() {
    const auto info = value_or_raise(store_.ready());
    auto prefix = store_.api().subject("");
    Headers nothing;  // is stored of this: it expects a stream that does not exist
    nothing.set("Nats-Expected-Stream", "-");
    const auto heard = store_.link().request(prefix + meta_subject("?"), {},
                                             {.timeout = store_.api().options().timeout, .headers = nothing});
    if (heard) return prefix;
    if (heard.error() != Errc::no_responders)
        raise({heard.error().code(), store_.what() + ": " + std::string{heard.error().message()}});
    const js::JetStream own{store_.link(), {.timeout = store_.api().options().timeout}};
    const auto local = own.stream(store_.stream_name()).try_info();
    if (!local || local->created == info->created) return {};
    raise(
        {Errc::bad_setup,
         fmt::format("{}: it cannot be written, since this connection's own JetStream has one of the same name, and "
                     "nobody listens on \"{}$O.>\"; map that to $O.> in the account, or give one of them another name",
                     store_.what(), prefix)});
}

std::optional<ObjectBucket::Stored> ObjectBucket::find(std::string_view name, js::Read read) {
    if (name.empty()) raise({Errc::bad_setup, store_.what() + ": an object's name is not empty"});
    const auto subject = meta_subject(name);
    auto found = store_.with_stream(StoreBucket::Repeat::harmless, [&](const js::StreamInfo& info) {
        const bool direct = info.config.allow_direct.value_or(false);
        auto message = store_.stream().try_last_message(subject, direct ? read : js::Read::leader);
        if (!message) message = std::unexpected{store_.why(message.error())};
        return message;
    });
    if (!found && found.error().code() == Errc::message_not_found) return std::nullopt;
    if (!found) raise({found.error().code(), what("look up", name) + ": " + std::string{found.error().message()}});
    Stored stored{.sequence = found->sequence()};
    if (auto info = read_object_info(found->text())) stored.info = *std::move(info);
    else stored.unreadable = {info.error().code(), what("look up", name) + ": " + std::string{info.error().message()}};
    stored.info.name = name;  // a description may say another one
    stored.info.modified = found->time();
    return stored;
}

ObjectBucket::Stored ObjectBucket::existing(std::string_view verb, std::string_view name, js::Read read) {
    auto stored = find(name, read);
    if (!stored || stored->info.deleted) raise({Errc::not_found, what(verb, name) + ": there is no such object"});
    if (stored->unreadable) raise(*stored->unreadable);
    return *std::move(stored);
}

std::optional<obj::Info> ObjectBucket::info(std::string_view name) {
    auto stored = find(name, js::Read::direct);
    if (!stored || stored->info.deleted) return std::nullopt;
    if (stored->unreadable) raise(*stored->unreadable);
    return std::move(stored->info);
}

obj::Info ObjectBucket::put(std::string_view name, const NextChunk& next, std::optional<std::uint64_t> total,
                            const obj::PutOptions& options) {
    const auto most = store_.link().server().max_payload;
    if (most != 0 && options.chunk_size > most)
        raise({Errc::bad_setup, fmt::format("{}: a chunk_size of {} bytes is over {}, the server's max_payload",
                                            what("put", name), options.chunk_size, most)});
    const auto usual = most != 0 ? std::min(default_chunk_size, most / 2) : default_chunk_size;  // headers count, too
    obj::Info info{.bucket = store_.name(),
                   .name = std::string{name},
                   .description = options.description,
                   .headers = options.headers,
                   .metadata = options.metadata,
                   .id = random_id(),
                   .chunk_size = options.chunk_size != 0 ? options.chunk_size : usual};
    value_or_raise(check_object_info(what("put", name), info));
    auto before = find(name, js::Read::direct);
    try {
        send_chunks(info, next, total, options);
        replace_info(info, std::move(before));
    } catch (const InDoubt&) { throw; } catch (...) {
        note_chunks(info.id, store_.stream().try_purge({.subject = chunk_subject(info.id)}));  // without patience
        throw;
    }
    info.modified = std::chrono::system_clock::now();
    return info;
}

void ObjectBucket::send_chunks(obj::Info& info, const NextChunk& next, std::optional<std::uint64_t> total,
                               const obj::PutOptions& options) {
    ChunkWindow window{store_.link(),
                       {.stream = store_.stream(),
                        .subject = write_prefix() + chunk_subject(info.id),
                        .id = info.id,
                        .what = what("put", info.name)},
                       options.window,
                       store_.api().options().timeout};
    Sha256 digest;
    for (bool more = true; more;) {
        const auto bytes = next(info.chunk_size);
        more = bytes.size() == info.chunk_size;
        if (bytes.empty()) break;
        value_or_raise(window.publish(bytes));
        digest.add(bytes);
        info.size += bytes.size();
        ++info.chunks;
        if (options.progress) options.progress({.bytes = info.size, .total = total});
    }
    // All chunks are stored before the description shows the object.
    value_or_raise(window.finish());
    info.digest = digest.finish();
}

obj::Info ObjectBucket::get(std::string_view name, const obj::Writer& writer, const obj::GetOptions& options,
                            const Found& found) {
    std::string target{name};
    for (int links = 0; links < max_links; ++links) {
        auto info = existing("get", target, js::Read::direct).info;
        if (!info.link) {
            receive_chunks(info, writer, options, found);
            return info;
        }
        if (info.link->bucket != store_.name() || info.link->name.empty())
            return follow(*info.link, target, writer, options, found);
        target = info.link->name;
    }
    raise({Errc::bad_setup, what("get", name) + ": its links go in a circle"});
}

obj::Info ObjectBucket::follow(const obj::Link& link, std::string_view name, const obj::Writer& writer,
                               const obj::GetOptions& options, const Found& found) {
    if (link.name.empty()) {
        raise({Errc::bad_setup, fmt::format("{}: it is a link to the object store {}; open that one", what("get", name),
                                            detail::quoted(link.bucket))});
    }
    ObjectBucket other{store_.link(), link.bucket, {.declare = js::Declare::never, .context = store_.api().options()}};
    auto target = other.existing("get", link.name, js::Read::direct).info;
    if (target.link) raise({Errc::bad_setup, what("get", name) + ": it is a link to a link"});
    other.receive_chunks(target, writer, options, found);
    return target;
}

void ObjectBucket::receive_chunks(const obj::Info& info, const obj::Writer& writer, const obj::GetOptions& options,
                                  const Found& found) {
    if (found) found(info);
    const auto chunk_size = info.chunk_size != 0 ? info.chunk_size : default_chunk_size;
    auto digest = std::make_shared<ChunkDigest>(info.chunks);
    std::optional<StreamReader> reader;
    const auto first = [&](const js::StreamInfo&) {
        digest = std::make_shared<ChunkDigest>(info.chunks);
        reader.emplace(store_.api(), ReadSpec{.stream = store_.stream_name(),
                                              .filters = {chunk_subject(info.id)},
                                              .batch = std::max<std::size_t>(1, options.window / 2 / chunk_size),
                                              .window = options.window,
                                              .arrived = [digest](const Message& one) { digest->add(one.payload()); },
                                              .what = what("get", info.name)});
        return reader->next();
    };
    std::uint64_t size = 0;
    for (std::uint64_t chunks = 0; chunks < info.chunks; ++chunks) {
        // Nobody has seen anything before the first chunk came, so the read may begin anew.
        const auto chunk =
            value_or_raise(chunks == 0 ? store_.with_stream(StoreBucket::Repeat::harmless, first) : reader->next());
        if (!chunk) break;
        const auto bytes = chunk->message.payload();
        size += bytes.size();
        writer(bytes);
        if (options.progress) options.progress({.bytes = size, .total = info.size});
    }
    if (size == info.size && (info.digest.empty() || digest->finish() == info.digest)) return;
    const auto current = find(info.name, js::Read::leader);
    if (!current || current->info.id != info.id)
        raise({Errc::bad_payload, what("get", info.name) + ": it was replaced while it was read; get it again"});
    raise({Errc::bad_payload,
           size != info.size
               ? fmt::format("{}: {} of its {} bytes are there", what("get", info.name), size, info.size)
               : fmt::format("{}: its bytes are not those that were put: their digest differs; put it again",
                             what("get", info.name))});
}

obj::Infos ObjectBucket::list(const obj::ListOptions& options) {
    auto infos = value_or_raise(store_.with_stream(StoreBucket::Repeat::harmless,
                                                   [&](const js::StreamInfo&) { return list_all(); }));
    keep_latest(infos, &obj::Info::name);
    if (!options.include_deleted) std::erase_if(infos, [](const auto& info) { return info.deleted; });
    return infos;
}

/// Reads all descriptions, some of them twice: see latest.hpp.
Expected<obj::Infos> ObjectBucket::list_all() {
    StreamReader reader{store_.api(), descriptions("list " + store_.what())};
    obj::Infos infos;
    for (;;) {
        auto next = reader.next();
        if (!next) return std::unexpected{std::move(next).error()};
        if (!*next) return infos;
        const auto& stored = **next;
        const auto subject = stored.message.subject();
        auto info = read_object_info(stored.message.text());
        if (!info) {
            const auto what = fmt::format("list {}: {} is left out", store_.what(), subject);
            store_.link().report(FailureLog::Kind::left_out, what, info.error(), LogLevel::warn);
            infos.errors.push_back({info.error().code(), fmt::format("{}: {}", what, info.error().message())});
            continue;
        }
        info->name = object_name(subject, info->name);
        info->modified = stored.metadata.time;
        infos.push_back(*std::move(info));
    }
}

void ObjectBucket::seal() {
    const auto request = [&](const std::string& op, const Json& body) {
        return store_.api().call(op + store_.stream_name(), "seal " + store_.what(), body);
    };
    value_or_raise(store_.with_stream(StoreBucket::Repeat::harmless, [&](const js::StreamInfo&) {
        auto answer = request("STREAM.INFO.", {});
        if (!answer) return answer;
        auto config = field<Json>(*answer, "config", Json::object());
        config["sealed"] = true;
        return request("STREAM.UPDATE.", config);
    }));
}

ReadSpec ObjectBucket::descriptions(std::string what) const {
    return {.stream = store_.stream_name(),
            .filters = {"$O." + store_.name() + ".M.>"},
            .last_per_subject = true,
            .what = std::move(what)};
}

Expected<std::uint64_t> ObjectBucket::purge(const js::PurgeOptions& which) {
    return store_.with_stream(StoreBucket::Repeat::harmless,
                              [&](const js::StreamInfo&) { return store_.stream().try_purge(which); });
}

obj::Status ObjectBucket::status() {
    auto info = value_or_raise(store_.info());
    const auto& config = info.config;
    obj::Status status{.bucket = store_.name(),
                       .description = config.description,
                       .bytes = info.state.bytes,
                       .ttl = config.max_age.value_or(std::chrono::nanoseconds{0}),
                       .storage = config.storage.value_or(js::Storage::file),
                       .replicas = config.replicas.value_or(1),
                       .sealed = config.sealed.value_or(false),
                       .compressed = config.compression.value_or(js::Compression::none) != js::Compression::none,
                       .metadata = config.metadata};
    status.stream = std::move(info);
    return status;
}

WatchSpec ObjectBucket::watch(const obj::WatchOptions& options) {
    value_or_raise(store_.ready());
    WatchSpec spec{.what = store_.what()};
    spec.ordered.stream = store_.stream_name();
    spec.ordered.filter_subjects = {"$O." + store_.name() + ".M.>"};
    spec.ordered.deliver = options.updates_only ? js::Deliver::fresh : js::Deliver::last_per_subject;
    spec.ordered.context = store_.api().options();
    spec.translate = [skip = options.ignore_deletes](const Message& stored, bool initial) -> Message {
        const auto info = value_or_raise(read_object_info(stored.text()));
        if (info.deleted && skip) return {};
        return watch_message(object_name(stored.subject(), info.name), stored, initial);
    };
    if (store_.declares()) spec.declare = [self = shared_from_this()] { return self->store_.declare_again(); };
    return spec;
}

}  // namespace freshet::detail
