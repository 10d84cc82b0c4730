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

/// When the server removes a message from a stream.
enum class Retention : std::uint8_t {
    limits,     ///< when a limit of the stream is reached
    interest,   ///< when every consumer has acknowledged it
    workqueue,  ///< when one consumer has acknowledged it
};

/// What the server does when a stream is full.
enum class Discard : std::uint8_t {
    oldest,    ///< removes the oldest messages ("old" on the wire)
    incoming,  ///< refuses new messages with Errc::limit_reached ("new" on the wire)
};

/// Where the server keeps a stream: in files, or in memory until it stops.
enum class Storage : std::uint8_t { file, memory };

/// How the server compresses the files of a stream.
enum class Compression : std::uint8_t { none, s2 };

/// When the server writes a message to disk.
enum class PersistMode : std::uint8_t {
    flushed,  ///< before it acknowledges the message ("default" on the wire)
    async,    ///< soon after; a crash of the server loses the latest messages
};

/// Where in a cluster the server places a stream.
struct Placement {
    std::string cluster = {};
    std::vector<std::string> tags = {};
};

/// Renames subjects when a message is stored: `orders.*` to `orders.{{wildcard(1)}}.eu`.
struct SubjectTransform {
    std::string source = {};
    std::string destination = {};
};

/// Publishes each stored message again on core NATS.
struct Republish {
    std::string source = {};  ///< the subjects to publish again; empty: all
    std::string destination = {};
    bool headers_only = false;
};

/// Says how to reach a stream of another account or domain.
struct ExternalStream {
    std::string api_prefix = {};      ///< `$JS.<domain>.API`, or the prefix under which your account imports the API
    std::string deliver_prefix = {};  ///< the prefix on which another account delivers the messages; empty: none
};

/// Names an existing consumer through which a mirror or source reads. Server 2.14.
struct SourceConsumer {
    std::string name = {};
    std::string deliver_subject = {};
};

/// Names the stream that a mirror or a source copies, and which of its messages (ADR-59).
struct StreamSource {
    std::string name = {};
    std::uint64_t start_sequence = 0;  ///< where to begin; 0: at the first message
    std::optional<std::chrono::system_clock::time_point> start_time = {};
    std::string filter_subject = {};                ///< copies only this subject; empty: all. Not with `transforms`
    std::vector<SubjectTransform> transforms = {};  ///< each selects subjects and may rename them. Server 2.10
    std::string domain = {};                        ///< short for an `external` with the API of this domain
    std::optional<ExternalStream> external = {};
    std::optional<SourceConsumer> consumer = {};
};

/// Limits of the stream's consumers, and their defaults. Server 2.10.
struct ConsumerLimits {
    std::optional<std::chrono::nanoseconds> inactive_threshold = {};
    std::optional<std::int64_t> max_ack_pending = {};
};

/// Describes a stream: its name, its settings, and what JetStream::declare does if the stream is missing or has other
/// settings. An unset setting is the server's default for a new stream, and is left alone in an existing one. A limit
/// of -1 or 0 means no limit. A comment names the server version that a setting needs, if later than 2.9. With an older
/// server, declare fails with Errc::server_too_old.
struct Stream {
    std::string name = {};
    std::string description = {};
    std::vector<std::string> subjects = {};  ///< subjects that it stores; default: its name. None for a mirror
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
    std::optional<bool> discard_new_per_subject = {};  ///< with Discard::incoming, max_msgs_per_subject
    /// How long the server remembers the id of a message, at least 100 ms; default: 2 minutes, or max_age if that is
    /// shorter.
    std::optional<std::chrono::nanoseconds> duplicate_window = {};
    std::optional<Compression> compression = {};  ///< of files. Server 2.10
    std::optional<bool> no_ack = {};              ///< the server does not acknowledge publications
    std::optional<Placement> placement = {};
    std::optional<StreamSource> mirror = {};         ///< makes this stream a copy of another one
    std::vector<StreamSource> sources = {};          ///< stores the messages of these streams too
    std::optional<SubjectTransform> transform = {};  ///< renames subjects first. Server 2.10
    std::optional<Republish> republish = {};
    /// Lets any replica answer reads: faster, and perhaps without the latest messages (ADR-31). See Read::direct.
    std::optional<bool> allow_direct = {};
    std::optional<bool> mirror_direct = {};  ///< lets a mirror answer reads of the stream that it copies
    std::optional<bool> allow_rollup = {};   ///< a message with the header `Nats-Rollup` removes earlier ones
    std::optional<bool> deny_delete = {};    ///< nobody can delete messages; cannot be undone
    std::optional<bool> deny_purge = {};     ///< nobody can purge the stream; cannot be undone
    /// Nobody can store or remove messages any more. Cannot be undone, and cannot be set when the stream is created.
    std::optional<bool> sealed = {};
    std::optional<std::uint64_t> first_seq = {};         ///< first sequence of a new stream. Server 2.10
    std::optional<ConsumerLimits> consumer_limits = {};  ///< Server 2.10
    std::optional<bool> allow_msg_ttl = {};  ///< messages may have a TTL: PublishOptions::ttl (ADR-43). Server 2.11
    /// How long a marker stays for a message that was removed because of its age, at least 1 s (ADR-43). Server 2.11.
    std::optional<std::chrono::nanoseconds> subject_delete_marker_ttl = {};
    std::optional<bool> allow_atomic = {};         ///< allows AtomicBatch (ADR-50). Server 2.12
    std::optional<bool> allow_msg_counter = {};    ///< each message increments a counter (ADR-49). Server 2.12
    std::optional<bool> allow_msg_schedules = {};  ///< allows PublishOptions::schedule (ADR-51). Server 2.12
    std::optional<PersistMode> persist_mode = {};  ///< Server 2.12
    std::optional<bool> allow_batched = {};        ///< allows fast batches that are not atomic (ADR-50). Server 2.14
    /// Anything of yours. Keys that you do not name are left alone. Server 2.10.
    std::map<std::string, std::string> metadata = {};
    Declare declare = Declare::create_if_missing;  ///< what to do if it is missing or has other settings
};

/// Describes messages that the files of a stream should have, and have not.
struct LostMessages {
    std::vector<std::uint64_t> sequences = {};
    std::uint64_t bytes = 0;
};

/// Describes the messages of a stream.
struct StreamState {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_sequence = 0;
    std::chrono::system_clock::time_point first_time = {};
    std::uint64_t last_sequence = 0;
    std::chrono::system_clock::time_point last_time = {};
    std::uint64_t consumers = 0;
    std::uint64_t num_subjects = 0;
    std::uint64_t num_deleted = 0;            ///< sequences between the first and the last one that are missing
    std::vector<std::uint64_t> deleted = {};  ///< the missing sequences; filled with InfoOptions::deleted
    std::map<std::string, std::uint64_t> subjects = {};  ///< messages of each subject; with InfoOptions::subjects
    std::optional<LostMessages> lost = {};               ///< set if the stream's files are damaged
};

/// Describes a server that keeps a copy of a stream or consumer.
struct Replica {
    std::string name = {};
    bool current = false;  ///< the copy is up to date
    bool offline = false;
    std::uint64_t lag = 0;  ///< operations that the copy is behind
};

/// Describes the servers that keep a stream or consumer.
struct ClusterInfo {
    std::string name = {};
    std::string leader = {};  ///< empty while the servers elect one
    std::vector<Replica> replicas = {};
};

/// Describes the progress of a mirror or a source.
struct SourceInfo {
    std::string name = {};
    std::uint64_t lag = 0;                ///< messages that it is behind
    std::chrono::nanoseconds active{-1};  ///< time since the last message; -1: no message yet
    std::string error = {};
    std::string filter_subject = {};                ///< empty: every subject
    std::vector<SubjectTransform> transforms = {};  ///< of its subjects
    std::optional<ExternalStream> external = {};    ///< set: it is of another account or domain
};

/// Describes a stream that has the same messages: the stream itself, or a mirror, which may be nearer.
struct StreamAlternate {
    std::string name = {};
    std::string cluster = {};
    std::string domain = {};
};

/// Describes a stream as the server knows it.
struct StreamInfo {
    Stream config = {};  ///< every setting, as the server has it
    StreamState state = {};
    std::chrono::system_clock::time_point created = {};
    std::string domain = {};
    std::optional<ClusterInfo> cluster = {};
    std::optional<SourceInfo> mirror = {};
    std::vector<SourceInfo> sources = {};
    std::vector<StreamAlternate> alternates = {};  ///< the nearest first; empty: it has no mirror
};

}  // namespace freshet::js
