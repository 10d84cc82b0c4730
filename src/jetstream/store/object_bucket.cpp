// SPDX-License-Identifier: Apache-2.0
#include "jetstream/store/object_bucket.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/store/chunk_digest.hpp"
#include "jetstream/store/chunk_window.hpp"
#include "jetstream/store/digest.hpp"
#include "jetstream/store/latest.hpp"
#include "jetstream/store/object_json.hpp"
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

obj::Time now() { return std::chrono::system_clock::now(); }

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

std::string ObjectBucket::what(std::string_view verb, std::string_view name) const { return infos_.what(verb, name); }

std::string ObjectBucket::chunk_subject(std::string_view id) const {
    return "$O." + store_.name() + ".C." + std::string{id};
}

std::optional<obj::Info> ObjectBucket::info(std::string_view name) {
    auto stored = infos_.find(name, js::Read::direct);
    if (!stored || stored->info.deleted) return std::nullopt;
    return std::move(stored->info);
}

void ObjectBucket::replace_info(const obj::Info& info, std::optional<StoredInfo> before) {
    before = infos_.replace(info, std::move(before));
    // Removes the chunks of a deleted object too: the client that deleted it may not have removed them yet.
    if (before && !before->info.link && before->info.id != info.id) purge_chunks(before->info.id);
}

void ObjectBucket::purge_chunks(std::string_view id) noexcept {
    const auto purged = store_.stream().try_purge({.subject = chunk_subject(id)});
    if (!purged) {
        store_.link().logger().warn("{}: chunks that belong to no object are left under {}: {}", store_.what(),
                                    chunk_subject(id), purged.error().message());
    }
}

obj::Info ObjectBucket::put(std::string_view name, const NextChunk& next, std::optional<std::uint64_t> total,
                            const obj::PutOptions& options) {
    const auto most = store_.link().server().max_payload;
    if (options.chunk_size == 0 || (most != 0 && options.chunk_size > most))
        raise({Errc::bad_setup,
               fmt::format("{}: chunk_size is from 1 to {}, the server's max_payload", what("put", name), most)});
    auto before = infos_.find(name, js::Read::direct);
    obj::Info info{.bucket = store_.name(),
                   .name = std::string{name},
                   .description = options.description,
                   .headers = options.headers,
                   .metadata = options.metadata,
                   .id = random_id(),
                   .chunk_size = options.chunk_size};
    try {
        send_chunks(info, next, total, options);
        replace_info(info, std::move(before));
    } catch (const InDoubt&) { throw; } catch (...) {
        purge_chunks(info.id);
        throw;
    }
    info.modified = now();
    return info;
}

void ObjectBucket::send_chunks(obj::Info& info, const NextChunk& next, std::optional<std::uint64_t> total,
                               const obj::PutOptions& options) {
    const auto subject = chunk_subject(info.id);
    ChunkWindow window{store_.link(), options.window, store_.api().options().timeout, what("put", info.name)};
    Sha256 digest;
    for (bool more = true; more;) {
        const auto bytes = next(options.chunk_size);
        more = bytes.size() == options.chunk_size;
        if (bytes.empty()) break;
        value_or_raise(window.publish(subject, bytes));
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
        auto info = infos_.existing("get", target, js::Read::direct).info;
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
        raise({Errc::bad_setup, fmt::format("{}: it is a link to the object store {}: open that one", what("get", name),
                                            detail::quoted(link.bucket))});
    }
    ObjectBucket other{store_.link(), link.bucket, {.declare = js::Declare::never, .context = store_.api().options()}};
    auto target = other.infos_.existing("get", link.name, js::Read::direct).info;
    if (target.link) raise({Errc::bad_setup, what("get", name) + ": it is a link to a link"});
    other.receive_chunks(target, writer, options, found);
    return target;
}

void ObjectBucket::receive_chunks(const obj::Info& info, const obj::Writer& writer, const obj::GetOptions& options,
                                  const Found& found) {
    if (found) found(info);
    const auto chunk_size = info.chunk_size != 0 ? info.chunk_size : default_chunk_size;
    const auto digest = std::make_shared<ChunkDigest>(info.chunks);
    StreamReader reader{store_.api(),
                        {.stream = store_.stream_name(),
                         .filters = {chunk_subject(info.id)},
                         .batch = std::max<std::size_t>(1, options.window / 2 / chunk_size),
                         .arrived = [digest](const Message& chunk) { digest->add(chunk.payload()); },
                         .what = what("get", info.name)}};
    std::uint64_t size = 0;
    for (std::uint64_t chunks = 0; chunks < info.chunks; ++chunks) {
        const auto chunk = value_or_raise(reader.next());
        if (!chunk) break;
        const auto bytes = chunk->message.payload();
        size += bytes.size();
        writer(bytes);
        if (options.progress) options.progress({.bytes = size, .total = info.size});
    }
    if (size == info.size && (info.digest.empty() || digest->finish() == info.digest)) return;
    const auto current = infos_.find(info.name, js::Read::leader);
    if (!current || current->info.id != info.id)
        raise({Errc::bad_payload, what("get", info.name) + ": it was replaced while it was read: get it again"});
    raise({Errc::bad_payload,
           size != info.size
               ? fmt::format("{}: {} of its {} bytes are there", what("get", info.name), size, info.size)
               : fmt::format("{}: its bytes are not those that were put: another digest", what("get", info.name))});
}

obj::Info ObjectBucket::update(std::string_view name, const obj::Meta& meta) {
    const auto stored = infos_.existing("update", name, js::Read::leader);
    std::optional<StoredInfo> before = stored;
    auto info = stored.info;
    if (!meta.name.empty()) info.name = meta.name;
    const bool renamed = info.name != name;
    if (renamed) before = infos_.find(info.name, js::Read::leader);
    // A rename that was interrupted leaves the object under both names: this one ends it.
    if (renamed && before && !before->info.deleted && before->info.id != info.id)
        raise({Errc::already_exists, what("rename", name) + ": there is one of the name " + detail::quoted(info.name)});
    info.description = meta.description;
    info.headers = meta.headers;
    info.metadata = meta.metadata;
    if (!infos_.store(info, before))
        raise({Errc::wrong_last_sequence, what("update", name) + ": somebody else has changed it meanwhile"});
    if (renamed) {
        value_or_raise(store_.stream().try_purge({.subject = infos_.subject_of(name),
                                                  .up_to_sequence = stored.sequence + 1}));
    }
    info.modified = now();
    return info;
}

obj::Info ObjectBucket::link(std::string_view name, const obj::Link& target) {
    auto before = infos_.find(name, js::Read::leader);
    if (before && !before->info.deleted && !before->info.link)
        raise({Errc::already_exists, what("link", name) + ": there is an object of that name"});
    obj::Info info{.bucket = store_.name(), .name = std::string{name}, .link = target, .id = random_id()};
    replace_info(info, std::move(before));
    info.modified = now();
    return info;
}

void ObjectBucket::erase(std::string_view name) {
    for (int left = info_attempts; left > 0; --left) {
        auto stored = infos_.find(name, js::Read::leader);
        if (!stored) raise({Errc::not_found, what("erase", name) + ": there is no such object"});
        auto& info = stored->info;
        if (!info.deleted) {
            info.deleted = true;
            info.size = info.chunks = 0;
            info.digest.clear();
            if (!infos_.store(info, stored)) continue;
        }
        // Removes the chunks even if the object is deleted already: the client that deleted it may not have removed
        // them yet.
        if (!info.link) purge_chunks(info.id);
        return;
    }
    raise({Errc::wrong_last_sequence, what("erase", name) + ": others write it all the time"});
}

std::vector<obj::Info> ObjectBucket::list(const obj::ListOptions& options) {
    value_or_raise(store_.ready());
    StreamReader reader{store_.api(),
                        {.stream = store_.stream_name(),
                         .filters = {"$O." + store_.name() + ".M.>"},
                         .last_per_subject = true,
                         .what = "list " + store_.what()}};
    std::vector<obj::Info> infos;
    while (const auto stored = value_or_raise(reader.next())) {
        auto info = value_or_raise(read_object_info(stored->message.text()));
        info.modified = stored->metadata.time;
        infos.push_back(std::move(info));
    }
    keep_latest(infos, &obj::Info::name);
    if (!options.include_deleted) std::erase_if(infos, [](const auto& info) { return info.deleted; });
    return infos;
}

void ObjectBucket::seal() {
    value_or_raise(store_.ready());
    value_or_raise(store_.jetstream().try_declare(
        {.name = store_.stream_name(), .sealed = true, .declare = js::Declare::reconcile}));
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
        return watch_message(info.name, stored, initial);
    };
    if (store_.declares()) spec.declare = [self = shared_from_this()] { return self->store_.declare_again(); };
    return spec;
}

}  // namespace freshet::detail
