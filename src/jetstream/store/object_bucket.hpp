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

/// The stream of an object store (ADR-20). `fresh`: with the defaults of a new one.
js::Stream object_stream(const std::string& bucket, const obj::Options& options, bool fresh);

/// An object store: puts its operations into messages. Functions throw, also what callbacks throw. Thread-safe.
class ObjectBucket : public std::enable_shared_from_this<ObjectBucket> {
public:
    ObjectBucket(Link& link, std::string name, const obj::Options& options);

    /// The next bytes to put: so many, or fewer at the end. They stay until the next call.
    using NextChunk = std::function<Bytes(std::size_t size)>;
    obj::Info put(std::string_view name, const NextChunk& next, std::optional<std::uint64_t> total,
                  const obj::PutOptions& options);
    /// Told of the object before the first of its bytes.
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
    /// What to watch. Blocks: the bucket must be there. Keeps this alive, to declare the bucket anew when it was lost.
    WatchSpec watch(const obj::WatchOptions& options);

    StoreBucket& store() noexcept { return store_; }

private:
    std::string what(std::string_view verb, std::string_view name) const;
    std::string chunk_subject(std::string_view id) const;

    void send_chunks(obj::Info& info, const NextChunk& next, std::optional<std::uint64_t> total,
                     const obj::PutOptions& options);
    void receive_chunks(const obj::Info& info, const obj::Writer& writer, const obj::GetOptions& options,
                        const Found& found);
    /// Stores the description whatever was there, and removes the chunks that belonged to what was there.
    void replace_info(const obj::Info& info, std::optional<StoredInfo> before);
    void purge_chunks(std::string_view id) noexcept;
    obj::Info follow(const obj::Link& link, std::string_view name, const obj::Writer& writer,
                     const obj::GetOptions& options, const Found& found);

    StoreBucket store_;
    ObjectInfos infos_{store_};
};

}  // namespace freshet::detail
