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

/// Gives the next bytes of an object: fills the front of the span and says how many bytes that were; 0 at the end. What it
/// throws ends the put.
using Reader = std::function<std::size_t(std::span<std::byte>)>;
/// Takes the next bytes of an object. What it throws ends the get.
using Writer = std::function<void(Bytes)>;

/// A bucket of objects of any size: `broker.object_store("files")` (ADR-20). An object is stored in chunks and never held in
/// memory as a whole, on neither way; its digest is checked whenever it is read.
///
/// Cheap to copy; every function may be called from any thread, also inside handlers. It refers to its broker, which must
/// outlive it and must run when a function is called (else Errc::closed). The bucket is declared as Options::declare says: at
/// once if the broker runs, else by the first operation.
///
/// Functions block until the server has answered; put and get as long as bytes move, and ContextOptions::timeout longer at most.
/// Those that change a description send it again when no answer comes, for the same time once more.
/// They throw Error: Errc::not_found for an object that is not there, Errc::stream_not_found for a bucket that is not;
/// Errc::bad_payload for bytes that do not have the digest they should; Condition::timeout, disconnected. Their try_ twins give
/// it as a value, also what a callback of yours throws.
class Store {
public:
    explicit Store(std::shared_ptr<detail::ObjectBucket> bucket) noexcept;

    std::string_view bucket() const noexcept;

    /// Stores an object, in place of one of the same name. Nobody sees it before it is complete; when it fails, or a callback
    /// throws, the one before stays and the chunks sent are removed. If the server's last answer is lost for good, the error
    /// says that it is not known whether the object was stored: then nothing is removed. Returns its description.
    Info put(std::string_view name, Bytes bytes, const PutOptions& options = {}) const;
    Info put(std::string_view name, std::string_view bytes, const PutOptions& options = {}) const;
    /// Reads to the end of the stream. Throws Errc::bad_payload if reading fails.
    Info put(std::string_view name, std::istream& in, const PutOptions& options = {}) const;
    Info put(std::string_view name, const Reader& reader, const PutOptions& options = {}) const;
    /// Throws an Error of the system's category for a file that cannot be read.
    Info put_file(std::string_view name, const std::string& path, const PutOptions& options = {}) const;

    Expected<Info> try_put(std::string_view name, Bytes bytes, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, std::string_view bytes, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, std::istream& in, const PutOptions& options = {}) const;
    Expected<Info> try_put(std::string_view name, const Reader& reader, const PutOptions& options = {}) const;
    Expected<Info> try_put_file(std::string_view name, const std::string& path, const PutOptions& options = {}) const;

    /// Reads an object, or the one that a link points to. The digest is known at the end only: when it is wrong, or the
    /// transfer breaks, this throws after bytes were handed out. Returns its description.
    Info get(std::string_view name, const Writer& writer, const GetOptions& options = {}) const;
    /// Throws Errc::bad_payload if writing fails.
    Info get(std::string_view name, std::ostream& out, const GetOptions& options = {}) const;
    /// The whole object, in memory.
    std::string get(std::string_view name, const GetOptions& options = {}) const;
    /// Into a file, which is there when it is complete and right, and else as it was before.
    Info get_file(std::string_view name, const std::string& path, const GetOptions& options = {}) const;

    Expected<Info> try_get(std::string_view name, const Writer& writer, const GetOptions& options = {}) const;
    Expected<Info> try_get(std::string_view name, std::ostream& out, const GetOptions& options = {}) const;
    Expected<std::string> try_get(std::string_view name, const GetOptions& options = {}) const;
    Expected<Info> try_get_file(std::string_view name, const std::string& path, const GetOptions& options = {}) const;

    /// What the bucket says of an object or a link; nothing if it is not there or was deleted.
    std::optional<Info> info(std::string_view name) const;
    Expected<std::optional<Info>> try_info(std::string_view name) const;

    /// Changes name, description, headers and metadata; the bytes stay. Throws Errc::already_exists when the new name is taken.
    Info update(std::string_view name, const Meta& meta) const;
    Expected<Info> try_update(std::string_view name, const Meta& meta) const;

    /// Makes `name` a link to an object, in this bucket or another; get() follows it. Throws Errc::already_exists when `name`
    /// is an object, Errc::bad_setup when the target is a link or deleted.
    Info link(std::string_view name, const Info& target) const;
    Expected<Info> try_link(std::string_view name, const Info& target) const;
    /// Makes `name` a link to a whole bucket, which get() does not follow.
    Info link_bucket(std::string_view name, std::string_view bucket) const;
    Expected<Info> try_link_bucket(std::string_view name, std::string_view bucket) const;

    /// Deletes an object or a link. Throws Errc::not_found; a second time it does nothing.
    void erase(std::string_view name) const;
    Expected<void> try_erase(std::string_view name) const;

    /// The objects and links there are.
    std::vector<Info> list(const ListOptions& options = {}) const;
    Expected<std::vector<Info>> try_list(const ListOptions& options = {}) const;

    /// The objects that there are, and each change from then on. A service takes `obj::Watch` as the source of a subscriber
    /// instead.
    Watcher watch(const WatchOptions& options = {}) const;
    Expected<Watcher> try_watch(const WatchOptions& options = {}) const;

    /// Makes the bucket read-only, for ever.
    void seal() const;
    Expected<void> try_seal() const;

    /// The bucket's settings and how full it is.
    Status status() const;
    Expected<Status> try_status() const;

    /// Removes the bucket with everything in it.
    void remove() const;
    Expected<void> try_remove() const;

private:
    std::shared_ptr<detail::ObjectBucket> bucket_;
};

/// The names of the object stores there are. Blocks. Throws Error.
std::vector<std::string> bucket_names(Broker& broker, const js::ContextOptions& context = {});

}  // namespace freshet::obj
