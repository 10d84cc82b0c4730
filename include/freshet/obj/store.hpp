// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/buffer.hpp>
#include <freshet/obj/info.hpp>
#include <freshet/obj/options.hpp>
#include <freshet/obj/watcher.hpp>

namespace freshet::detail {
class ObjectBucket;
}

namespace freshet::obj {

/// Produces the next bytes of an object: fills the front of the span and returns how many bytes it has filled; 0 at the
/// end. An exception from it ends the put.
using Reader = std::function<std::size_t(std::span<std::byte>)>;
/// Takes the next bytes of an object. An exception from it ends the get.
using Writer = std::function<void(Bytes)>;

/// A bucket of objects of any size: `broker.object_store("files")` (ADR-20). An object is stored in chunks and never
/// held in memory as a whole, neither by put nor by get. Each get checks its SHA-256 digest.
///
/// Cheap to copy. Every function may be called from any thread, also inside handlers. The broker must outlive this
/// object and must run when a function is called, else Errc::closed. freshet declares the bucket as Options::declare
/// says: at once if the broker runs, else at the first operation.
///
/// Functions block until the server answers. put and get block as long as bytes move, and fail when none moves for
/// ContextOptions::timeout, or for 20 s while a cluster elects a leader. Functions that change a description send it
/// again when no answer comes, and wait for that time once more.
///
/// Functions throw Error: Errc::not_found for a missing object, Errc::stream_not_found for a missing bucket,
/// Errc::bad_payload for bytes with a wrong digest, Condition::timeout, disconnected. Their try_ twins return the error
/// as a value, also an exception from your callback.
class Store {
public:
    explicit Store(std::shared_ptr<detail::ObjectBucket> bucket) noexcept;
    /// Returns the bucket for Broker::object_store.
    static Store open(detail::Link& link, std::string bucket, const Options& options = {});

    /// Returns the name of the bucket.
    std::string_view bucket() const noexcept;

    /// Stores an object, in place of one of the same name, and returns its description. Nobody sees the object before
    /// it is complete. If put fails or a callback throws, the previous object stays, and the chunks that were sent are
    /// removed. If the server's last answer is lost for good, the error says that it is not known whether the object
    /// was stored; then nothing is removed.
    Info put(std::string_view name, Bytes bytes, const PutOptions& options = {}) const;
    Info put(std::string_view name, std::string_view bytes, const PutOptions& options = {}) const;
    /// Stores the bytes of `in` up to its end, as an object, and returns its description. Throws Errc::bad_payload if
    /// reading fails.
    Info put(std::string_view name, std::istream& in, const PutOptions& options = {}) const;
    /// Stores the bytes that `reader` produces as an object, and returns its description.
    Info put(std::string_view name, const Reader& reader, const PutOptions& options = {}) const;
    /// Stores the bytes of a file as an object, and returns its description. Throws an Error of the system's category
    /// if the file cannot be read.
    Info put_file(std::string_view name, const std::string& path, const PutOptions& options = {}) const;

    Expected<Info> try_put(std::string_view name, Bytes bytes, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, std::string_view bytes, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, std::istream& in, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, const Reader& reader, const PutOptions& options = {}) const;
    Expected<Info> try_put_file(std::string_view name, const std::string& path, const PutOptions& options = {}) const;

    /// Gives the bytes of an object, or of the object that a link points to, to `writer`, and returns its description.
    /// The digest is known only at the end: if it is wrong, or the transfer breaks, get throws after `writer` has got
    /// bytes.
    Info get(std::string_view name, const Writer& writer, const GetOptions& options = {}) const;
    /// Writes an object to `out` and returns its description. Throws Errc::bad_payload if writing fails or the digest
    /// is wrong, after bytes were written.
    Info get(std::string_view name, std::ostream& out, const GetOptions& options = {}) const;
    /// Returns the whole object in memory. Throws Errc::payload_too_large if it is larger than
    /// GetOptions::max_in_memory.
    std::string get(std::string_view name, const GetOptions& options = {}) const;
    /// Writes an object to a file and returns its description. Creates or replaces the file only when the object is
    /// complete and its digest is right; otherwise the file stays as it was.
    Info get_file(std::string_view name, const std::string& path, const GetOptions& options = {}) const;

    Expected<Info> try_get(std::string_view name, const Writer& writer, const GetOptions& options = {}) const;
    Expected<Info> try_get(std::string_view name, std::ostream& out, const GetOptions& options = {}) const;
    Expected<std::string> try_get(std::string_view name, const GetOptions& options = {}) const;
    Expected<Info> try_get_file(std::string_view name, const std::string& path, const GetOptions& options = {}) const;

    /// Returns the description of an object or a link; nothing if it does not exist or was deleted.
    std::optional<Info> info(std::string_view name) const;
    Expected<std::optional<Info>> try_info(std::string_view name) const;

    /// Changes name, description, headers and metadata of an object; its bytes stay. Returns the new description.
    /// Throws Errc::already_exists if the new name is taken.
    Info update(std::string_view name, const Meta& meta) const;
    Expected<Info> try_update(std::string_view name, const Meta& meta) const;

    /// Makes `name` a link to an object of this or another bucket, and returns its description; get() follows the link.
    /// Throws Errc::already_exists if `name` is an object, Errc::bad_setup if the target is a link or was deleted.
    Info link(std::string_view name, const Info& target) const;
    Expected<Info> try_link(std::string_view name, const Info& target) const;
    /// Makes `name` a link to a whole bucket, and returns its description; get() does not follow the link.
    Info link_bucket(std::string_view name, std::string_view bucket) const;
    Expected<Info> try_link_bucket(std::string_view name, std::string_view bucket) const;

    /// Deletes an object or a link. Throws Errc::not_found if there never was one; does nothing if it is deleted
    /// already.
    void erase(std::string_view name) const;
    Expected<void> try_erase(std::string_view name) const;

    /// Returns the descriptions of all objects and links. One that cannot be read is left out, and its error is in
    /// Infos::errors.
    Infos list(const ListOptions& options = {}) const;
    Expected<Infos> try_list(const ListOptions& options = {}) const;

    /// Starts a watch and returns it: it gives the descriptions of the objects that exist, then each change. In a
    /// service use a subscriber of `obj::Watch` instead.
    Watcher watch(const WatchOptions& options = {}) const;
    Expected<Watcher> try_watch(const WatchOptions& options = {}) const;

    /// Makes the bucket read-only. Cannot be undone.
    void seal() const;
    Expected<void> try_seal() const;

    /// Returns the bucket's settings and how full it is.
    Status status() const;
    Expected<Status> try_status() const;

    /// Removes the bucket with all its objects.
    void remove() const;
    Expected<void> try_remove() const;

private:
    std::shared_ptr<detail::ObjectBucket> bucket_;
};

/// Returns the names of all object stores. Blocks until the server answers. Throws Error.
std::vector<std::string> bucket_names(Broker& broker, const js::ContextOptions& context = {});

}  // namespace freshet::obj
