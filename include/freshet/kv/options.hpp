// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/stream.hpp>

namespace freshet::kv {

/// How a key-value bucket is declared (ADR-8). An unset setting is the default for a new bucket, and neither compared nor changed
/// for one that exists. What Declare::verify and reconcile want of each: its subjects, allow_rollup, which purges need, and with
/// max_bytes that a full one refuses writes.
struct Options {
    std::string description = {};
    std::optional<std::int64_t> history = {};          ///< entries kept of each key, 1 to 64; default: 1
    std::optional<std::chrono::nanoseconds> ttl = {};  ///< how long an entry is kept; default: for ever
    std::optional<std::int64_t> max_bytes = {};  ///< of the whole bucket; a full one refuses writes; default: no limit
    std::optional<std::int32_t> max_value_bytes = {};  ///< of one entry, with its headers; default: no limit
    std::optional<js::Storage> storage = {};           ///< default: file
    std::optional<int> replicas = {};                  ///< servers that keep a copy: 1, 3 or 5; default: 1
    std::optional<js::Compression> compression = {};   ///< of files; default: none. Server 2.10
    std::optional<js::Placement> placement = {};       ///< where in a cluster it lives
    std::optional<js::Republish> republish = {};       ///< publishes each entry once more, on core NATS
    std::optional<js::StreamSource> mirror = {};       ///< a copy of this bucket; what is written here goes to it
    std::vector<js::StreamSource> sources = {};        ///< also holds what these buckets hold. Server 2.10
    std::map<std::string, std::string> metadata = {};  ///< anything of yours. Server 2.10
    /// An entry that is removed because of its age leaves a marker for so long, at least 1 s: watches see it as a purge. Also
    /// allows a TTL for each key. Server 2.11 (ADR-48).
    std::optional<std::chrono::nanoseconds> limit_markers = {};
    js::Declare declare = js::Declare::create_if_missing;  ///< what to do if it is missing, or has other settings
    js::ContextOptions context = {};
};

/// Options of a write that expects the key not to exist.
struct CreateOptions {
    /// How long the value lives, at least 1 s; 0: as the bucket says. Needs a bucket with Options::limit_markers; the server raises it
    /// to those if the bucket has a history.
    std::chrono::nanoseconds ttl{0};
};

struct EraseOptions {
    std::optional<std::uint64_t> revision = {};  ///< only if this is the key's latest, else Condition::wrong_revision
};

struct PurgeOptions {
    std::optional<std::uint64_t> revision = {};  ///< only if this is the key's latest, else Condition::wrong_revision
    /// How long the marker stays, at least 1 s; 0: as long as the bucket says. Needs a bucket with Options::limit_markers.
    std::chrono::nanoseconds ttl{0};
};

struct PurgeDeletesOptions {
    /// Younger markers stay, so that watches which were away for a while still see the deletion; what was before them goes.
    std::chrono::nanoseconds keep_markers = std::chrono::minutes{30};
};

/// Options of a watch.
struct WatchOptions {
    bool include_history = false;     ///< every entry that is kept, not only the latest of each key
    bool ignore_deletes = false;      ///< puts only
    bool meta_only = false;           ///< no values, which costs less
    bool updates_only = false;        ///< only what changes from now on
    std::uint64_t from_revision = 0;  ///< go on with this revision, instead of the latest of each key; 0: do not
};

/// What a bucket is, and how full.
struct Status {
    std::string bucket = {};
    std::uint64_t values = 0;  ///< entries, history and markers included
    std::uint64_t bytes = 0;
    std::int64_t history = 0;                   ///< entries kept of each key
    std::chrono::nanoseconds ttl{0};            ///< 0: entries are kept for ever
    std::chrono::nanoseconds limit_markers{0};  ///< 0: it makes none
    bool compressed = false;
    js::StreamInfo stream = {};  ///< all there is to know of the stream that it is
};

}  // namespace freshet::kv
