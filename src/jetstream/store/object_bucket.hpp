// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/obj/store.hpp>

#include "jetstream/store/object_infos.hpp"
#include "jetstream/store/store_bucket.hpp"
#include "jetstream/store/store_watch.hpp"

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
    std::vector<obj::Info> list(const obj::ListOptions& options);
    void seal();
    obj::Status status();
    /// Returns what to watch. Blocks until the bucket is declared. The result keeps this object alive, to declare the
    /// bucket again when the server has lost it.
    WatchSpec watch(const obj::WatchOptions& options);

    StoreBucket& store() noexcept { return store_; }

private:
    std::string what(std::string_view verb, std::string_view name) const;
    std::string chunk_subject(std::string_view id) const;

    void send_chunks(obj::Info& info, const NextChunk& next, std::optional<std::uint64_t> total,
                     const obj::PutOptions& options);
    void receive_chunks(const obj::Info& info, const obj::Writer& writer, const obj::GetOptions& options,
                        const Found& found);
    /// Stores the description, whatever was there, and removes the chunks of the object that it replaces.
    void replace_info(const obj::Info& info, std::optional<StoredInfo> before);
    void purge_chunks(std::string_view id) noexcept;
    obj::Info follow(const obj::Link& link, std::string_view name, const obj::Writer& writer,
                     const obj::GetOptions& options, const Found& found);

    StoreBucket store_;
    ObjectInfos infos_{store_};
};

}  // namespace freshet::detail
