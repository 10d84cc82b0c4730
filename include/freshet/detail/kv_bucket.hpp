// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/detail/core.hpp>
#include <freshet/kv/entry.hpp>
#include <freshet/kv/options.hpp>

namespace freshet::detail {

/// The compiled, untyped key-value bucket (src/jetstream/store/kv_bucket.hpp). What templates need of it:
class KvBucket;

/// Throws Error(Errc::bad_setup) for a bad name or option. Asks no server before the first operation, unless the broker runs.
std::shared_ptr<KvBucket> open_kv(Link& link, std::string bucket, const kv::Options& options);

std::string_view kv_name(const KvBucket& bucket) noexcept;
Link& kv_link(const KvBucket& bucket) noexcept;

/// The latest put of a key, or that of a revision; nothing if there is none.
Expected<std::optional<KvRecord>> kv_get(KvBucket& bucket, std::string_view key, std::uint64_t revision);

/// What to write, and when.
struct KvWrite {
    kv::Operation operation = kv::Operation::put;
    std::optional<std::uint64_t> expected = {};  ///< the revision that must be the key's latest; 0: it has none
    std::chrono::nanoseconds ttl{0};
    std::string_view verb = "put";  ///< for error messages; a literal
};
Expected<std::uint64_t> kv_write(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write);
/// The same, without waiting for the answer, which `done` gets: once, on the threads that Kv::put_async names.
using KvWritten = std::move_only_function<void(Expected<std::uint64_t>)>;
void kv_write_async(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write,
                    KvWritten done);
using KvFound = std::move_only_function<void(Expected<std::optional<KvRecord>>)>;
void kv_get_async(KvBucket& bucket, std::string_view key, KvFound done);

/// A write that expects the key not to exist.
Expected<std::uint64_t> kv_create(KvBucket& bucket, std::string_view key, const Encoded& encoded,
                                  std::chrono::nanoseconds ttl);

/// What to read of a bucket as it is now.
struct KvScan {
    std::vector<std::string> filters = {};  ///< empty: every key
    bool history = false;                   ///< every entry that is kept, not only the latest of each key
    bool values = true;                     ///< false: no values, which costs less
};
/// Calls `each` in the order of revisions, until it returns false.
Expected<void> kv_scan(KvBucket& bucket, const KvScan& scan, const std::function<bool(KvRecord)>& each);

Expected<std::uint64_t> kv_purge_deletes(KvBucket& bucket, const kv::PurgeDeletesOptions& options);
Expected<kv::Status> kv_status(KvBucket& bucket);
Expected<void> kv_remove(KvBucket& bucket);

/// The entries of a watch, queued for the thread that reads them (src/jetstream/store/store_watch.hpp).
class WatchQueue;

Expected<std::shared_ptr<WatchQueue>> kv_watch(KvBucket& bucket, const std::vector<std::string>& filters,
                                               const kv::WatchOptions& options);
/// Blocks for the next; nothing when `timeout` has passed, it was stopped, or `until_caught_up` and it has.
std::optional<KvRecord> kv_next(WatchQueue& queue, std::optional<std::chrono::milliseconds> timeout,
                                bool until_caught_up);
bool watch_caught_up(const WatchQueue& queue);
void stop_watch(WatchQueue& queue) noexcept;

}  // namespace freshet::detail
