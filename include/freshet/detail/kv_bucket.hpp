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

/// The compiled, untyped key-value bucket (src/jetstream/store/kv_bucket.hpp). The functions below are the part of it
/// that templates need.
class KvBucket;

/// Opens a bucket. Asks no server before the first operation, unless the broker runs. Throws Error(Errc::bad_setup) for
/// a bad name or option.
std::shared_ptr<KvBucket> open_kv(Link& link, std::string bucket, const kv::Options& options);

std::string_view kv_name(const KvBucket& bucket) noexcept;
Link& kv_link(const KvBucket& bucket) noexcept;

/// Returns the latest put of a key, or, with a revision other than 0, the put of that revision; nothing if there is
/// none.
Expected<std::optional<KvRecord>> kv_get(KvBucket& bucket, std::string_view key, std::uint64_t revision);

/// One write to a key.
struct KvWrite {
    kv::Operation operation = kv::Operation::put;  ///< what to write
    std::optional<std::uint64_t> expected = {};    ///< revision that must be the key's latest; 0: the key has none
    std::chrono::nanoseconds ttl{0};               ///< how long the entry lives; 0: as the bucket says
    std::string_view verb = "put";                 ///< for error messages; a literal
};
Expected<std::uint64_t> kv_write(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write);
/// Receives the revision of an asynchronous write, exactly once, on one of the threads that Kv::put_async names.
using KvWritten = std::move_only_function<void(Expected<std::uint64_t>)>;
void kv_write_async(KvBucket& bucket, std::string_view key, const Encoded& encoded, const KvWrite& write,
                    KvWritten done);
using KvFound = std::move_only_function<void(Expected<std::optional<KvRecord>>)>;
void kv_get_async(KvBucket& bucket, std::string_view key, KvFound done);

/// Writes a key that must not exist yet. Blocks until the server has answered.
Expected<std::uint64_t> kv_create(KvBucket& bucket, std::string_view key, const Encoded& encoded,
                                  std::chrono::nanoseconds ttl);

/// The part of a bucket's present entries to read.
struct KvScan {
    std::vector<std::string> filters = {};  ///< empty: every key
    bool history = false;                   ///< true: every entry that is kept, not only the latest of each key
    bool values = true;                     ///< false: keys without values, which costs less
};
/// Reads entries and calls `each` for them in the order of revisions, until it returns false or there are no more.
Expected<void> kv_scan(KvBucket& bucket, const KvScan& scan, const std::function<bool(KvRecord)>& each);

/// Logs that an entry is left out of those that are read.
void kv_left_out(KvBucket& bucket, const Error& error);

Expected<std::uint64_t> kv_purge_deletes(KvBucket& bucket, const kv::PurgeDeletesOptions& options);
Expected<kv::Status> kv_status(KvBucket& bucket);
Expected<void> kv_remove(KvBucket& bucket);

/// The entries of a watch, queued for the thread that reads them (src/jetstream/store/store_watch.hpp).
class WatchQueue;

Expected<std::shared_ptr<WatchQueue>> kv_watch(KvBucket& bucket, const std::vector<std::string>& filters,
                                               const kv::WatchOptions& options);
/// Blocks until the next entry and returns it. Returns nothing when `timeout` has passed, the watch was stopped, or,
/// with `until_caught_up`, the watch has caught up.
std::optional<KvRecord> kv_next(WatchQueue& queue, std::optional<std::chrono::milliseconds> timeout,
                                bool until_caught_up);
bool watch_caught_up(const WatchQueue& queue);
void stop_watch(WatchQueue& queue) noexcept;

}  // namespace freshet::detail
