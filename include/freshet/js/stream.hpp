// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>
#include <freshet/js/declare.hpp>

namespace freshet::js {

/// When a stream lets go of a message.
enum class Retention : std::uint8_t {
    limits,     ///< when a limit is reached
    interest,   ///< when every consumer has acknowledged it
    workqueue,  ///< when one consumer has acknowledged it
};

/// What a full stream does.
enum class Discard : std::uint8_t {
    oldest,    ///< removes its oldest messages ("old" on the wire)
    incoming,  ///< refuses what is published ("new" on the wire)
};

enum class Storage : std::uint8_t { file, memory };

enum class Compression : std::uint8_t { none, s2 };

/// When a message is on disk.
enum class PersistMode : std::uint8_t {
    flushed,  ///< before it is acknowledged ("default" on the wire)
    async,    ///< soon: a crash of the server loses the last ones
};

/// Where in a cluster a stream lives.
struct Placement {
    std::string cluster = {};
    std::vector<std::string> tags = {};
};

/// Renames subjects: `orders.*` to `orders.{{wildcard(1)}}.eu`.
struct SubjectTransform {
    std::string source = {};
    std::string destination = {};
};

/// Publishes each stored message once more, for core NATS subscribers.
struct Republish {
    std::string source = {};  ///< which subjects; empty: all
    std::string destination = {};
    bool headers_only = false;
};

/// A stream of another account or domain.
struct ExternalStream {
    std::string api_prefix = {};      ///< `$JS.<domain>.API`, or the subject it is imported under
    std::string deliver_prefix = {};  ///< where its messages arrive, if another account sends them
};

/// A consumer made beforehand, through which a mirror or source reads. Server 2.14.
struct SourceConsumer {
    std::string name = {};
    std::string deliver_subject = {};
};

/// The stream that a mirror or source copies (ADR-59).
struct StreamSource {
    std::string name = {};
    std::uint64_t start_sequence = 0;  ///< 0: from its first message
    std::optional<std::chrono::system_clock::time_point> start_time = {};
    std::string filter_subject = {};                ///< empty: all subjects; not with `transforms`
    std::vector<SubjectTransform> transforms = {};  ///< each picks subjects, and may rename them. Server 2.10
    std::string domain = {};                        ///< short for an `external` with that domain's API
    std::optional<ExternalStream> external = {};
    std::optional<SourceConsumer> consumer = {};
};

/// Bounds and defaults of the stream's consumers. Server 2.10.
struct ConsumerLimits {
    std::optional<std::chrono::nanoseconds> inactive_threshold = {};
    std::optional<std::int64_t> max_ack_pending = {};
};

/// A stream: its name, its settings, and what to do if it is missing or has others. An unset setting is the server's default.
/// Limits: -1 or 0 is none. The comments name the server version that a setting needs, if later than 2.9; with an older one,
/// declaring is Errc::server_too_old.
struct Stream {
    std::string name = {};
    std::string description = {};
    std::vector<std::string> subjects = {};  ///< what it stores; default: its name. None for a mirror
    std::optional<Retention> retention = {};
    std::optional<Storage> storage = {};
    std::optional<int> replicas = {};  ///< servers that keep a copy: 1, 3 or 5; default: 1
    std::optional<std::int64_t> max_msgs = {};
    std::optional<std::int64_t> max_bytes = {};
    std::optional<std::chrono::nanoseconds> max_age = {};  ///< at least 100 ms; 0: no limit
    std::optional<std::int64_t> max_msgs_per_subject = {};
    std::optional<std::int32_t> max_msg_size = {};  ///< bytes, headers included
    std::optional<int> max_consumers = {};
    std::optional<Discard> discard = {};
    std::optional<bool> discard_new_per_subject = {};  ///< with Discard::incoming and max_msgs_per_subject
    /// How long a message id is remembered, at least 100 ms; default: 2 minutes, or max_age if that is shorter.
    std::optional<std::chrono::nanoseconds> duplicate_window = {};
    std::optional<Compression> compression = {};  ///< of files. Server 2.10
    std::optional<bool> no_ack = {};              ///< publishing is not acknowledged
    std::optional<Placement> placement = {};
    std::optional<StreamSource> mirror = {};         ///< copy this stream, and store nothing else
    std::vector<StreamSource> sources = {};          ///< also store what these streams have
    std::optional<SubjectTransform> transform = {};  ///< of subjects, before anything else. Server 2.10
    std::optional<Republish> republish = {};
    std::optional<bool> allow_direct =
        {};  ///< any replica may answer reads; faster, and maybe a moment behind (ADR-31)
    std::optional<bool> mirror_direct = {};  ///< a mirror answers reads of what it copies, too
    std::optional<bool> allow_rollup = {};   ///< the header `Nats-Rollup` removes what came before
    std::optional<bool> deny_delete = {};    ///< messages cannot be deleted; for good
    std::optional<bool> deny_purge = {};     ///< the stream cannot be purged; for good
    std::optional<bool> sealed = {};  ///< nothing can be stored or removed any more; for good, and not at creation
    std::optional<std::uint64_t> first_seq = {};         ///< of a new stream. Server 2.10
    std::optional<ConsumerLimits> consumer_limits = {};  ///< Server 2.10
    std::optional<bool> allow_msg_ttl = {};              ///< messages may have a TTL of their own (ADR-43). Server 2.11
    /// A message removed because of its age leaves a marker for so long, at least 1 s (ADR-43). Server 2.11.
    std::optional<std::chrono::nanoseconds> subject_delete_marker_ttl = {};
    std::optional<bool> allow_atomic = {};       ///< batches of all or nothing (ADR-50). Server 2.12
    std::optional<bool> allow_msg_counter = {};  ///< every message is a counter's increment (ADR-49). Server 2.12
    std::optional<bool> allow_msg_schedules =
        {};  ///< messages to be delivered later or again and again (ADR-51). Server 2.12
    std::optional<PersistMode> persist_mode = {};  ///< Server 2.12
    std::optional<bool> allow_batched = {};        ///< fast batches that are not atomic (ADR-50). Server 2.14
    std::map<std::string, std::string> metadata =
        {};  ///< anything of yours; other keys that it has are left alone. Server 2.10
    Declare declare = Declare::create_if_missing;
};

/// What a stream holds.
struct StreamState {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_sequence = 0;
    std::chrono::system_clock::time_point first_time = {};
    std::uint64_t last_sequence = 0;
    std::chrono::system_clock::time_point last_time = {};
    std::uint64_t consumers = 0;
    std::uint64_t num_subjects = 0;
    std::uint64_t num_deleted = 0;                       ///< gaps between the first and the last sequence
    std::vector<std::uint64_t> deleted = {};             ///< if asked for: InfoOptions::deleted
    std::map<std::string, std::uint64_t> subjects = {};  ///< messages of each, if asked for: InfoOptions::subjects
};

/// A server that keeps a copy.
struct Replica {
    std::string name = {};
    bool current = false;  ///< it is up to date
    bool offline = false;
    std::uint64_t lag = 0;  ///< operations behind
};

struct ClusterInfo {
    std::string name = {};
    std::string leader = {};  ///< empty while one is elected
    std::vector<Replica> replicas = {};
};

/// How a mirror or source gets on.
struct SourceInfo {
    std::string name = {};
    std::uint64_t lag = 0;                ///< messages behind
    std::chrono::nanoseconds active{-1};  ///< since the last message; -1: none yet
    std::string error = {};
};

struct StreamInfo {
    Stream config = {};  ///< every setting, as the server has it
    StreamState state = {};
    std::chrono::system_clock::time_point created = {};
    std::string domain = {};
    std::optional<ClusterInfo> cluster = {};
    std::optional<SourceInfo> mirror = {};
    std::vector<SourceInfo> sources = {};
};

}  // namespace freshet::js
