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

/// What to tell of a stream beside its settings and its state.
struct InfoOptions {
    std::string subjects = {};  ///< messages per subject, of those that match: ">" for all; empty: none
    bool deleted = false;       ///< the sequences that are missing
};

/// What to remove of a stream; everything, if nothing is said.
struct PurgeOptions {
    std::string subject = {};          ///< only these, wildcards allowed; empty: all
    std::uint64_t up_to_sequence = 0;  ///< only what is before this one; 0: all. Not with `keep`
    std::uint64_t keep = 0;            ///< leave so many of the latest; 0: none
};

/// Who answers when a message is read (ADR-31).
enum class Read : std::uint8_t {
    leader,  ///< what was acknowledged before is seen
    direct,  ///< any replica, maybe a moment behind, at several times the rate; the stream needs allow_direct
};

/// Which messages StreamHandle::messages reads.
struct ReadOptions {
    std::string subject = {};                                             ///< wildcards allowed; empty: all
    std::uint64_t from_sequence = 0;                                      ///< 0: the first
    std::optional<std::chrono::system_clock::time_point> from_time = {};  ///< instead of from_sequence
    std::size_t limit = 1'000;                                            ///< at most so many
};

/// One stream, by its name: broker.jetstream().stream("ORDERS"). That it exists is not checked before it is used; if it does not,
/// functions fail with Errc::stream_not_found.
///
/// Cheap to copy; thread-safe; blocks as JetStream does; must not outlive the broker. Every function throws Error; its try_ twin
/// gives the error as a value.
class StreamHandle {
public:
    StreamHandle(std::shared_ptr<const detail::JsApi> api, std::string name)
        : api_{std::move(api)}, name_{std::move(name)} {}

    const std::string& name() const noexcept { return name_; }

    StreamInfo info(const InfoOptions& options = {}) const { return value_or_raise(try_info(options)); }
    Expected<StreamInfo> try_info(const InfoOptions& options = {}) const;

    /// Removes messages for good; the number removed.
    std::uint64_t purge(const PurgeOptions& options = {}) const { return value_or_raise(try_purge(options)); }
    Expected<std::uint64_t> try_purge(const PurgeOptions& options = {}) const;

    /// Removes the stream with its messages and consumers.
    void remove() const { value_or_raise(try_remove()); }
    Expected<void> try_remove() const;

    /// One message by its sequence. Errc::message_not_found if there is none.
    StoredMessage message(std::uint64_t sequence, Read read = Read::leader) const {
        return value_or_raise(try_message(sequence, read));
    }
    Expected<StoredMessage> try_message(std::uint64_t sequence, Read read = Read::leader) const;

    /// The last message of a subject.
    StoredMessage last_message(std::string_view subject, Read read = Read::leader) const {
        return value_or_raise(try_last_message(subject, read));
    }
    Expected<StoredMessage> try_last_message(std::string_view subject, Read read = Read::leader) const;

    /// The first message of a subject, wildcards allowed, at or after a sequence.
    StoredMessage next_message(std::string_view subject, std::uint64_t from_sequence, Read read = Read::leader) const {
        return value_or_raise(try_next_message(subject, from_sequence, read));
    }
    Expected<StoredMessage> try_next_message(std::string_view subject, std::uint64_t from_sequence,
                                             Read read = Read::leader) const;

    /// Several messages in their order, read directly (the stream needs allow_direct). Server 2.11. For more than some
    /// thousands, or to go on as they come, use a consumer.
    std::vector<StoredMessage> messages(const ReadOptions& options = {}) const {
        return value_or_raise(try_messages(options));
    }
    Expected<std::vector<StoredMessage>> try_messages(const ReadOptions& options = {}) const;

    /// The last message of each subject, wildcards allowed, read directly, all at the same moment; with `up_to_sequence`, at that of
    /// this message. Server 2.11, which gives at most 1,024.
    std::vector<StoredMessage> last_messages(const std::vector<std::string>& subjects,
                                             std::uint64_t up_to_sequence = 0) const {
        return value_or_raise(try_last_messages(subjects, up_to_sequence));
    }
    Expected<std::vector<StoredMessage>> try_last_messages(const std::vector<std::string>& subjects,
                                                           std::uint64_t up_to_sequence = 0) const;

    /// What a counter of this stream stands at (ADR-49). Errc::message_not_found before its first increment. Server 2.12.
    CounterValue counter(std::string_view subject, Read read = Read::leader) const {
        return value_or_raise(try_counter(subject, read));
    }
    Expected<CounterValue> try_counter(std::string_view subject, Read read = Read::leader) const;

    /// Removes one message; erase_message overwrites its bytes on disk as well, which is slow.
    void delete_message(std::uint64_t sequence) const { value_or_raise(try_delete_message(sequence)); }
    Expected<void> try_delete_message(std::uint64_t sequence) const;
    void erase_message(std::uint64_t sequence) const { value_or_raise(try_erase_message(sequence)); }
    Expected<void> try_erase_message(std::uint64_t sequence) const;

private:
    std::shared_ptr<const detail::JsApi> api_;
    std::string name_;
};

}  // namespace freshet::js
