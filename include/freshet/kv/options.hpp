// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/js/context_options.hpp>
#include <freshet/js/declare.hpp>
#include <freshet/js/stream.hpp>
#include <freshet/kv/codec.hpp>

namespace freshet::kv {

/// How a key-value bucket is declared (ADR-8). An unset setting has its default in a new bucket, and is neither
/// compared nor changed in an existing one. Declare::verify and Declare::reconcile also require the bucket's subjects,
/// allow_rollup (which purges need), and with max_bytes that a full bucket refuses writes.
struct Options {
    std::string description = {};
    std::optional<std::int64_t> history = {};          ///< entries kept per key, 1 to 64; default: 1
    std::optional<std::chrono::nanoseconds> ttl = {};  ///< how long an entry is kept; default: for ever
    std::optional<std::int64_t> max_bytes = {};  ///< size of the bucket; a full one refuses writes; default: no limit
    std::optional<std::int32_t> max_value_bytes = {};  ///< size of one entry with its headers; default: no limit
    std::optional<js::Storage> storage = {};           ///< default: file
    std::optional<int> replicas = {};                  ///< servers that keep a copy: 1, 3 or 5; default: 1
    std::optional<js::Compression> compression = {};   ///< compression of files; default: none. Server 2.10
    std::optional<js::Placement> placement = {};       ///< where in a cluster the server places it
    std::optional<js::Republish> republish = {};       ///< publishes each entry again on core NATS
    std::optional<js::StreamSource> mirror = {};       ///< makes this a copy of that bucket; writes go to that one
    std::vector<js::StreamSource> sources = {};        ///< also holds the entries of these buckets. Server 2.10
    std::map<std::string, std::string> metadata = {};  ///< anything of yours. Server 2.10
    /// How long a marker stays for an entry that was removed because of its age, at least 1 s. Watches see the marker
    /// as a purge. Also allows a TTL for each key. Default: none. Server 2.11 (ADR-48).
    std::optional<std::chrono::nanoseconds> limit_markers = {};
    js::Declare declare = js::Declare::create_if_missing;  ///< what to do if it is missing or has other settings
    js::ContextOptions context = {};                       ///< which JetStream to use
    std::shared_ptr<const KeyCodec> key_codec = {};      ///< how keys are written, see codec.hpp; default: as they are
    std::shared_ptr<const ValueCodec> value_codec = {};  ///< how encoded values are written; default: as they are
};

/// Options of Kv::create.
struct CreateOptions {
    /// How long the server keeps the value, at least 1 s; 0: as long as the bucket says; js::never_expires: for ever.
    /// Needs a bucket with Options::limit_markers. If the bucket has a history, the server raises the time to that of
    /// the markers.
    std::chrono::nanoseconds ttl{0};
};

/// Options of Kv::erase.
struct EraseOptions {
    std::optional<std::uint64_t> revision = {};  ///< must be the key's latest, else Condition::wrong_revision
};

/// Options of Kv::purge.
struct PurgeOptions {
    std::optional<std::uint64_t> revision = {};  ///< must be the key's latest, else Condition::wrong_revision
    /// How long the marker stays, at least 1 s; 0: as long as the bucket says. Needs a bucket with
    /// Options::limit_markers.
    std::chrono::nanoseconds ttl{0};
};

/// Options of Kv::purge_deletes.
struct PurgeDeletesOptions {
    /// Markers younger than this stay, so that a watch that was disconnected for a while still sees the deletion. The
    /// entries before them are removed. Default: 30 minutes.
    std::chrono::nanoseconds keep_markers = std::chrono::minutes{30};
};

/// Options of Kv::watch.
struct WatchOptions {
    bool include_history = false;     ///< delivers every kept entry, not only the latest of each key
    bool ignore_deletes = false;      ///< delivers puts only
    bool meta_only = false;           ///< delivers no values, which costs less
    bool updates_only = false;        ///< delivers only changes from now on
    std::uint64_t from_revision = 0;  ///< begins with this revision; 0: with the latest of each key
};

/// Describes a bucket and how full it is.
struct Status {
    std::string bucket = {};
    std::uint64_t values = 0;                   ///< entries, history and markers included
    std::uint64_t bytes = 0;                    ///< size of the bucket
    std::int64_t history = 0;                   ///< entries kept per key
    std::chrono::nanoseconds ttl{0};            ///< 0: entries are kept for ever
    std::chrono::nanoseconds limit_markers{0};  ///< how long markers stay; 0: it makes none
    bool compressed = false;
    js::StreamInfo stream = {};  ///< the stream that holds the bucket
};

}  // namespace freshet::kv
