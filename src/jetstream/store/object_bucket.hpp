// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/obj/store.hpp>

#include "jetstream/store/store_bucket.hpp"
#include "jetstream/store/store_watch.hpp"
#include "jetstream/store/stream_reader.hpp"

namespace freshet::detail {

/// Returns the stream of an object store (ADR-20); with `fresh`, with the defaults of a new one.
js::Stream object_stream(const std::string& bucket, const obj::Options& options, bool fresh);

/// An object store: turns its operations into messages. Functions throw Error, and pass on exceptions of callbacks.
/// Thread-safe.
class ObjectBucket : public std::enable_shared_from_this<ObjectBucket> {
public:
    ObjectBucket(Link& link, std::string name, const obj::Options& options);

    /// Returns the next `size` bytes to put, or fewer at the end. They stay valid until the next call.
    using NextChunk = std::function<Bytes(std::size_t size)>;
    obj::Info put(std::string_view name, const NextChunk& next, std::optional<std::uint64_t> total,
                  const obj::PutOptions& options);
    /// Called with the description of the object, before its first bytes.
    using Found = std::function<void(const obj::Info&)>;
    obj::Info get(std::string_view name, const obj::Writer& writer, const obj::GetOptions& options,
                  const Found& found = {});
    std::optional<obj::Info> info(std::string_view name);
    obj::Info update(std::string_view name, const obj::Meta& meta);
    obj::Info link(std::string_view name, const obj::Link& target);
    void erase(std::string_view name);
    obj::Infos list(const obj::ListOptions& options);
    void seal();
    obj::Status status();
    /// Returns what to watch. Blocks until the bucket is declared. The result keeps this object alive, to declare the
    /// bucket again when the server has lost it.
    WatchSpec watch(const obj::WatchOptions& options);

    StoreBucket& store() noexcept { return store_; }

private:
    /// A description, and the sequence of its message.
    struct Stored {
        obj::Info info = {};
        std::uint64_t sequence = 0;
        std::optional<Error> unreadable = {};  ///< why there is no more of `info` than its name
    };

    std::string what(std::string_view verb, std::string_view name) const;
    std::string meta_subject(std::string_view name) const;
    std::string chunk_subject(std::string_view id) const;

    /// Returns the description, also that of a deleted object, and one that cannot be read: it can be replaced and
    /// erased.
    std::optional<Stored> find(std::string_view name, js::Read read);
    /// Returns the description. Throws Errc::not_found for a deleted one, too.
    Stored existing(std::string_view verb, std::string_view name, js::Read read);
    void send_chunks(obj::Info& info, const NextChunk& next, std::optional<std::uint64_t> total,
                     const obj::PutOptions& options);
    void receive_chunks(const obj::Info& info, const obj::Writer& writer, const obj::GetOptions& options,
                        const Found& found);
    /// Sends the description, which the server stores if `last` is the sequence of the description before.
    Expected<std::uint64_t> send_info(const obj::Info& info, std::uint64_t last, std::chrono::milliseconds timeout);
    /// Stores the description in place of `before`. Returns false if another one is there. Throws InDoubt if it is not
    /// known whether the description is stored; after any other error it is not.
    bool store_info(const obj::Info& info, const std::optional<Stored>& before);
    /// Sends the description again after the error `lost`, which leaves open whether it is stored, until an answer
    /// comes. It is stored once at most, since each attempt expects the description that was there before.
    bool store_again(const obj::Info& info, const std::optional<Stored>& before, const Error& lost);
    /// Returns whether the description is there after the server has refused to store it again; nothing: that cannot be
    /// told yet. Throws `lost` if another has come in its place.
    std::optional<bool> was_stored(const obj::Info& info, const std::optional<Stored>& before, const Error& lost);
    /// Stores the description, whatever was there, and removes the chunks of the object that it replaces.
    void replace_info(const obj::Info& info, std::optional<Stored> before);
    /// Returns how to read the latest descriptions of all objects. `what` is for error messages.
    ReadSpec descriptions(std::string what) const;
    Expected<obj::Infos> list_all();
    /// Removes messages; in a cluster again while a leader is elected.
    Expected<std::uint64_t> purge(const js::PurgeOptions& which);
    /// Takes what the removal of the chunks came to, and logs a failure.
    void note_chunks(std::string_view id, const Expected<std::uint64_t>& purged) noexcept;
    /// Removes chunks that a description told of which is no more, unless another one tells of them: a rename that
    /// was broken off leaves an object under two names.
    void release_chunks(std::string_view id) noexcept;
    /// Returns whether an object has the chunks of this id.
    Expected<bool> is_described(std::string_view id);
    /// Removes the old name after the new one was stored; or the new one, if the object was changed under its old
    /// name meanwhile.
    void end_rename(const Stored& stored, std::string_view name, const obj::Info& renamed);
    /// Returns the prefix of the subjects that are written. Blocks, the first time.
    std::string write_prefix();
    std::string find_write_prefix();
    obj::Info follow(const obj::Link& link, std::string_view name, const obj::Writer& writer,
                     const obj::GetOptions& options, const Found& found);

    StoreBucket store_;
    std::mutex mutex_ = {};
    std::optional<std::string> write_prefix_ = {};
};

}  // namespace freshet::detail
