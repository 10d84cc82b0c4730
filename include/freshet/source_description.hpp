// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/detail/chrono.hpp>

namespace freshet {

/// Where a subscriber's messages come from.
enum class SourceKind : std::uint8_t {
    core,          ///< core NATS
    pull,          ///< a JetStream consumer that is pulled: js::Pull
    push,          ///< a JetStream consumer that pushes: js::Push
    ordered,       ///< a stream, read in order: js::Ordered
    key_value,     ///< the changes of a key-value bucket: kv::Watch
    object_store,  ///< the changes of an object store: obj::Watch
    other,         ///< a source that says nothing about itself
};

/// What becomes of messages whose handling fails.
struct RetryDescription {
    std::uint64_t max_attempts = 0;                       ///< 0: no limit
    std::vector<std::chrono::milliseconds> backoff = {};  ///< the waits between attempts
    std::string dead_letter = {};                         ///< subject of the dead letters; empty: none

    friend bool operator==(const RetryDescription&, const RetryDescription&) = default;
};

/// Describes where a subscriber's messages come from. Settings are JSON as the server's API has it, with what the
/// program sets and nothing else; empty if it sets nothing.
struct SourceDescription {
    SourceKind kind = SourceKind::core;
    std::string stream = {};                        ///< name of the stream; of a bucket, the bucket's stream
    std::vector<std::string> stream_subjects = {};  ///< the subjects that the program declares the stream with
    std::string stream_settings = {};               ///< empty also for a stream of which only the name is known
    std::string consumer = {};                      ///< name of the durable consumer; empty: there is none
    std::string consumer_settings = {};             ///< what the server keeps of the consumer
    std::vector<std::string> filter_subjects = {};  ///< of the consumer, if the program names them
    std::string queue = {};                         ///< queue group of a push consumer
    std::string bucket = {};                        ///< name of the watched bucket
    std::string ack_policy = {};                    ///< name of the AckPolicy; empty: nothing is acknowledged
    std::optional<RetryDescription> retry = {};
    std::string domain = {};      ///< JetStream domain; empty: the connection's own
    std::string api_prefix = {};  ///< prefix of the JetStream API; empty: the usual one

    friend bool operator==(const SourceDescription&, const SourceDescription&) = default;
};

/// Returns "core", "pull", "push", "ordered", "key_value", "object_store" or "other".
const char* to_string(SourceKind kind) noexcept;

}  // namespace freshet
