// SPDX-License-Identifier: Apache-2.0
// The descriptions of objects: stored in place of each other, renamed, deleted.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "base/utf8.hpp"
#include "base/wait.hpp"
#include "jetstream/api/election.hpp"
#include "jetstream/store/chunk_window.hpp"
#include "jetstream/store/object_bucket.hpp"
#include "jetstream/store/object_doubt.hpp"
#include "jetstream/store/object_json.hpp"
#include "jetstream/store/object_names.hpp"

namespace freshet::detail {
namespace {

// Writers of one name that meet; each attempt means that another one succeeded.
constexpr int replace_attempts = 64;
// The pause between two attempts to store a description while the stream has no leader.
constexpr auto describe_pause = std::chrono::milliseconds{100};

InDoubt in_doubt(const std::string& what, const Error& lost) {
    return {lost.code(), fmt::format("{}: it is not known whether it was stored: {}", what, lost.message())};
}

/// Returns whether the message may be stored in spite of the error.
bool leaves_open(const Error& error) {
    return error == Errc::timeout || error == Errc::disconnected || error == Errc::closed || error == Errc::bad_payload;
}

}  // namespace

Expected<std::uint64_t> ObjectBucket::send_info(const obj::Info& info, std::uint64_t last,
                                                std::chrono::milliseconds timeout) {
    Headers headers;
    headers.set("Nats-Rollup", "sub");
    headers.set("Nats-Expected-Last-Subject-Sequence", std::to_string(last));
    const auto body = write_object_info(info);
    const auto answer = store_.link().request(write_prefix() + meta_subject(info.name), {.body = as_bytes(body)},
                                              {.timeout = timeout, .headers = std::move(headers)});
    if (!answer) return std::unexpected{answer.error()};
    return read_store_ack(what("describe", info.name), *answer);
}

bool ObjectBucket::store_info(const obj::Info& info, const std::optional<Stored>& before) {
    const auto sent = send_info(info, before ? before->sequence : 0, store_.api().options().timeout);
    if (sent) return true;
    if (sent.error() == Errc::wrong_last_sequence) return false;
    if (!leaves_open(sent.error()) && !passes(sent.error())) raise(sent.error());
    return store_again(info, before, sent.error());
}

bool ObjectBucket::store_again(const obj::Info& info, const std::optional<Stored>& before, const Error& lost) {
    using std::chrono::milliseconds;
    auto& clock = store_.link().clock();
    bool open = leaves_open(lost);
    const auto deadline = clock.now() + (open ? store_.api().options().timeout : election_time);
    for (;;) {
        // Half of the time that is left: what is sent while a leader is elected may get no answer.
        const auto patience = std::chrono::floor<milliseconds>(deadline - clock.now()) / 2;
        if (patience < milliseconds{1}) break;
        const auto sent = send_info(info, before ? before->sequence : 0, patience);
        if (sent) return true;
        const auto& error = sent.error();
        if (error == Errc::closed) break;
        open = open || leaves_open(error);
        const bool unheard = leaves_open(error) || passes(error);
        const auto stored = unheard ? std::nullopt : was_stored(info, before, lost);
        if (stored) return *stored;
        pause(clock, std::min<std::chrono::nanoseconds>(describe_pause, patience));
    }
    if (!open) raise(lost);  // it was refused each time
    throw in_doubt(what("describe", info.name), lost);
}

std::optional<bool> ObjectBucket::was_stored(const obj::Info& info, const std::optional<Stored>& before,
                                             const Error& lost) {
    std::optional<Stored> current;
    try {
        current = find(info.name, js::Read::leader);
    } catch (const Error&) { throw in_doubt(what("describe", info.name), lost); }
    // A cluster refuses the second description while the first waits for its servers, and shows neither. No description
    // at all: the object may have been renamed.
    if (!current || (before && current->sequence == before->sequence)) return std::nullopt;
    if (current->info.id != info.id) raise(lost);
    const bool new_id = !before || before->info.id != info.id;
    return new_id || write_object_info(current->info) == write_object_info(info);
}

void ObjectBucket::replace_info(const obj::Info& info, std::optional<Stored> before) {
    for (int left = replace_attempts; !store_info(info, before); --left) {
        if (left == 1) {
            raise({Errc::wrong_last_sequence,
                   what("put", info.name) +
                       ": other writers changed it at each attempt, and nothing was stored; try again"});
        }
        before = find(info.name, js::Read::leader);
    }
    // Removes the chunks of a deleted object too: the client that deleted it may not have removed them yet.
    if (before && !before->info.link && before->info.id != info.id) release_chunks(before->info.id);
}

Expected<bool> ObjectBucket::is_described(std::string_view id) {
    StreamReader reader{store_.api(), descriptions("look for the objects of " + store_.what())};
    for (;;) {
        const auto next = reader.next();
        if (!next) return std::unexpected{next.error()};
        if (!*next) return false;
        const auto text = (*next)->message.text();
        if (!text.contains(id)) continue;
        const auto info = read_object_info(text);
        if (!info || (info->id == id && !info->deleted)) return true;
    }
}

void ObjectBucket::release_chunks(std::string_view id) noexcept {
    if (id.empty()) return;  // of a description that could not be read
    try {
        const bool described = value_or_raise(
            store_.with_stream(StoreBucket::Repeat::harmless, [&](const js::StreamInfo&) { return is_described(id); }));
        if (!described) note_chunks(id, purge({.subject = chunk_subject(id)}));
    } catch (const Error& error) {
        store_.link().logger().warn(
            "{}: chunks are left under {}, since it is not known whether an object has them: {}", store_.what(),
            chunk_subject(id), error.message());
    }
}

void ObjectBucket::note_chunks(std::string_view id, const Expected<std::uint64_t>& purged) noexcept {
    if (!purged) {
        store_.link().logger().warn("{}: chunks that belong to no object are left under {}: {}", store_.what(),
                                    chunk_subject(id), purged.error().message());
    }
}

obj::Info ObjectBucket::update(std::string_view name, const obj::Meta& meta) {
    const auto stored = existing("update", name, js::Read::leader);
    std::optional<Stored> before = stored;
    auto info = stored.info;
    if (!meta.name.empty()) info.name = meta.name;
    const bool renamed = info.name != name;
    if (renamed) before = find(info.name, js::Read::leader);
    // A rename that was interrupted leaves the object under both names: this one ends it.
    if (renamed && before && !before->info.deleted && before->info.id != info.id)
        raise({Errc::already_exists,
               what("rename", name) + ": there is an object of the name " + detail::quoted(info.name)});
    info.description = meta.description;
    info.headers = meta.headers;
    info.metadata = meta.metadata;
    if (renamed || valid_utf8(info.name)) value_or_raise(check_object_info(what("update", name), info));
    if (!store_info(info, before))
        raise({Errc::wrong_last_sequence,
               what("update", name) + ": another writer has changed it meanwhile; read it again and retry"});
    if (renamed) end_rename(stored, name, info);
    info.modified = std::chrono::system_clock::now();
    return info;
}

void ObjectBucket::end_rename(const Stored& stored, std::string_view name, const obj::Info& renamed) {
    // Whoever erases or replaces it meanwhile has removed its chunks, unless that was after the new name was stored.
    const auto current = find(name, js::Read::leader);
    if (current && current->sequence == stored.sequence) {
        value_or_raise(purge({.subject = meta_subject(name), .up_to_sequence = stored.sequence + 1}));
        return;
    }
    if (!current) return;  // another rename, to this name, has ended
    value_or_raise(purge({.subject = meta_subject(renamed.name)}));
    release_chunks(renamed.id);
    raise({Errc::wrong_last_sequence,
           what("rename", name) + ": another writer has changed it meanwhile; read it again and retry"});
}

obj::Info ObjectBucket::link(std::string_view name, const obj::Link& target) {
    obj::Info info{.bucket = store_.name(), .name = std::string{name}, .link = target, .id = random_id()};
    value_or_raise(check_object_info(what("link", name), info));
    auto before = find(name, js::Read::leader);
    if (before && !before->info.deleted && !before->info.link)
        raise({Errc::already_exists, what("link", name) + ": there is an object of that name"});
    replace_info(info, std::move(before));
    info.modified = std::chrono::system_clock::now();
    return info;
}

void ObjectBucket::erase(std::string_view name) {
    for (int left = replace_attempts; left > 0; --left) {
        auto stored = find(name, js::Read::leader);
        if (!stored) raise({Errc::not_found, what("erase", name) + ": there is no such object"});
        auto& info = stored->info;
        if (!info.deleted) {
            info.deleted = true;
            info.size = info.chunks = 0;
            info.digest.clear();
            if (!store_info(info, stored)) continue;
        }
        // Removes the chunks even if the object is deleted already: the client that deleted it may not have removed
        // them yet.
        if (!info.link) release_chunks(info.id);
        return;
    }
    raise({Errc::wrong_last_sequence, what("erase", name) + ": other writers changed it at each attempt; try again"});
}

}  // namespace freshet::detail
