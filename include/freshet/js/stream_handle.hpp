// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/error.hpp>
#include <freshet/js/counter_value.hpp>
#include <freshet/js/stored_message.hpp>
#include <freshet/js/stream.hpp>

namespace freshet::detail {
class JsApi;
}

namespace freshet::js {

/// Which details StreamHandle::info asks for, beside settings and state.
struct InfoOptions {
    std::string subjects = {};  ///< counts messages of the subjects that match; ">": all; empty: none
    bool deleted = false;       ///< lists the sequences that are missing
};

/// Which messages StreamHandle::purge removes. Default: all of them.
struct PurgeOptions {
    std::string subject = {};          ///< only messages of this subject, wildcards allowed; empty: all
    std::uint64_t up_to_sequence = 0;  ///< only messages before this one; 0: all. Not with `keep`
    std::uint64_t keep = 0;            ///< keeps so many of the latest messages; 0: none
};

/// Which server answers when a message is read (ADR-31).
enum class Read : std::uint8_t {
    leader,  ///< the leader: finds every message that was acknowledged before
    /// Any replica, at several times the rate; it may not have the latest messages. The stream needs allow_direct, else
    /// Errc::no_responders.
    direct,
};

/// Which messages StreamHandle::messages reads.
struct ReadOptions {
    std::string subject = {};         ///< only this subject, wildcards allowed; empty: all
    std::uint64_t from_sequence = 0;  ///< where to begin; 0: at the first message
    std::optional<std::chrono::system_clock::time_point> from_time = {};  ///< instead of from_sequence
    std::size_t limit = 1'000;                                            ///< the most messages to read
};

/// Refers to one stream by its name: `broker.jetstream().stream("ORDERS")`. Making it asks nothing of the server. If
/// the stream does not exist, functions fail with Errc::stream_not_found.
///
/// Cheap to copy. Thread-safe. Must not outlive the broker. Functions block until the server answers, for
/// ContextOptions::timeout at most per request. Every function throws Error; its try_ twin returns the error as a
/// value.
class StreamHandle {
public:
    StreamHandle(std::shared_ptr<const detail::JsApi> api, std::string name)
        : api_{std::move(api)}, name_{std::move(name)} {}

    const std::string& name() const noexcept { return name_; }

    /// Returns settings and state.
    StreamInfo info(const InfoOptions& options = {}) const { return value_or_raise(try_info(options)); }
    Expected<StreamInfo> try_info(const InfoOptions& options = {}) const;

    /// Removes messages for good. Returns how many.
    std::uint64_t purge(const PurgeOptions& options = {}) const { return value_or_raise(try_purge(options)); }
    Expected<std::uint64_t> try_purge(const PurgeOptions& options = {}) const;

    /// Removes the stream with its messages and consumers.
    void remove() const { value_or_raise(try_remove()); }
    Expected<void> try_remove() const;

    /// Returns the message with a sequence. Throws Errc::message_not_found if there is none.
    StoredMessage message(std::uint64_t sequence, Read read = Read::leader) const {
        return value_or_raise(try_message(sequence, read));
    }
    Expected<StoredMessage> try_message(std::uint64_t sequence, Read read = Read::leader) const;

    /// Returns the last message of a subject. Throws Errc::message_not_found if there is none.
    StoredMessage last_message(std::string_view subject, Read read = Read::leader) const {
        return value_or_raise(try_last_message(subject, read));
    }
    Expected<StoredMessage> try_last_message(std::string_view subject, Read read = Read::leader) const;

    /// Returns the first message of a subject, wildcards allowed, at or after a sequence. Throws
    /// Errc::message_not_found if there is none.
    StoredMessage next_message(std::string_view subject, std::uint64_t from_sequence, Read read = Read::leader) const {
        return value_or_raise(try_next_message(subject, from_sequence, read));
    }
    Expected<StoredMessage> try_next_message(std::string_view subject, std::uint64_t from_sequence,
                                             Read read = Read::leader) const;

    /// Returns several messages in their order, read from any replica. Needs a stream with `allow_direct = true`
    /// (Stream::allow_direct), else Errc::no_responders, and server 2.11. Without these, go from one message to the
    /// next with next_message. For more than some thousands, or to go on as messages come, use a consumer.
    std::vector<StoredMessage> messages(const ReadOptions& options = {}) const {
        return value_or_raise(try_messages(options));
    }
    Expected<std::vector<StoredMessage>> try_messages(const ReadOptions& options = {}) const;

    /// Returns the last message of each subject, wildcards allowed, all at the same moment: now, or when the message
    /// `up_to_sequence` was stored. Read from any replica: needs a stream with `allow_direct = true`, as messages()
    /// does. Server 2.11, at most 1,024 messages.
    std::vector<StoredMessage> last_messages(const std::vector<std::string>& subjects,
                                             std::uint64_t up_to_sequence = 0) const {
        return value_or_raise(try_last_messages(subjects, up_to_sequence));
    }
    Expected<std::vector<StoredMessage>> try_last_messages(const std::vector<std::string>& subjects,
                                                           std::uint64_t up_to_sequence = 0) const;

    /// Returns the value of a counter of this stream (ADR-49). Throws Errc::message_not_found before its first
    /// increment. Server 2.12.
    CounterValue counter(std::string_view subject, Read read = Read::leader) const {
        return value_or_raise(try_counter(subject, read));
    }
    Expected<CounterValue> try_counter(std::string_view subject, Read read = Read::leader) const;

    /// Removes one message. The bytes may stay on disk; erase_message overwrites them.
    void delete_message(std::uint64_t sequence) const { value_or_raise(try_delete_message(sequence)); }
    Expected<void> try_delete_message(std::uint64_t sequence) const;
    /// Removes one message and overwrites its bytes on disk, which is slow.
    void erase_message(std::uint64_t sequence) const { value_or_raise(try_erase_message(sequence)); }
    Expected<void> try_erase_message(std::uint64_t sequence) const;

private:
    std::shared_ptr<const detail::JsApi> api_;
    std::string name_;
};

}  // namespace freshet::js
