// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "testing/memory/jetstream/common.hpp"
#include "testing/memory/jetstream/pull_queue.hpp"
#include "testing/memory/jetstream/push_line.hpp"

namespace freshet::detail {

class MemoryStream;
struct StoredParcel;

/// A consumer of a stream: knows which messages were delivered and which wait for their acknowledgement. Its PullQueue
/// or PushLine knows the receivers. The owner guards it.
class MemoryConsumer {
public:
    MemoryConsumer(JetStreamContext& context, MemoryStream& stream, nlohmann::json config);

    const nlohmann::json& config() const noexcept { return config_; }
    void update(nlohmann::json config);
    nlohmann::json info() const;
    bool pushes() const noexcept { return push_.has_value(); }

    void pull(const std::string& reply_to, const nlohmann::json& request);
    /// Settles the message with this stream sequence: `+ACK`, `-NAK`, `+TERM`, `+WPI`.
    void settle(std::uint64_t sequence, std::string_view word);
    /// Pauses the consumer: it delivers nothing before this date. Returns the answer of the API.
    nlohmann::json pause(std::string_view until);
    /// Forgets what was delivered, and goes on at `sequence`; 0: behind what was settled. Returns the answer of the
    /// API.
    nlohmann::json reset(std::uint64_t sequence);
    void unpin(std::string_view group);
    /// Called when the receiver of a push consumer has answered its flow control.
    void confirmed(std::string_view subject);
    /// Sends all messages that may be sent now.
    void pump();

    void on_stored(const StoredParcel& stored);
    void on_removed(const StoredParcel& stored);
    /// Returns whether the consumer still needs the message.
    bool needs(const StoredParcel& stored) const;

    /// Returns when something is due by itself.
    TimePoint next_due() const;
    void run_due();
    /// Returns whether nobody has asked or listened for as long as its inactive_threshold.
    bool inactive() const;
    /// Ends the consumer and tells those who wait.
    void close();

private:
    struct Pending {
        std::uint64_t consumer_sequence = 0;
        TimePoint due = {};  // time of the next delivery
    };
    struct Next {
        const StoredParcel* stored = nullptr;
        bool again = false;
    };

    void begin();
    void count_new();
    bool matches(std::string_view subject) const;
    bool wants(const StoredParcel& stored) const;
    bool paused() const { return paused_until_ > context_.now(); }
    bool used() const { return push_ ? push_->bound() : pulls_.size() > 0; }
    std::chrono::nanoseconds threshold() const;
    Backlog backlog() const { return {.pending = pending_new_, .ack_pending = pending_.size()}; }
    Next next();
    const StoredParcel* next_again();
    const StoredParcel* next_new();
    bool deliver(const StoredParcel& stored);
    void put_back(const Next& next);
    Parcel parcel_of(const StoredParcel& stored, std::uint64_t count) const;
    void done_with(std::uint64_t sequence);
    void move_ack_floor();
    std::chrono::nanoseconds wait_after(std::uint64_t deliveries) const;
    bool acks() const { return config_.value("ack_policy", "none") != "none"; }

    JetStreamContext& context_;
    MemoryStream& stream_;
    nlohmann::json config_;
    PullQueue pulls_{context_};
    std::optional<PushLine> push_ = {};
    std::vector<std::string> filters_ = {};
    std::uint64_t cursor_ = 1;           // the stream sequence to look at next
    std::set<std::uint64_t> only_ = {};  // last_per_subject: of the messages before `only_until_`, delivers only these
    std::uint64_t only_until_ = 0;
    std::uint64_t delivered_ = 0;  // consumer sequence
    std::uint64_t delivered_stream_ = 0;
    std::uint64_t floor_ = 0;
    std::uint64_t floor_stream_ = 0;
    std::uint64_t pending_new_ = 0;  // messages at or behind the cursor
    std::map<std::uint64_t, Pending> pending_ = {};
    std::map<std::uint64_t, std::uint64_t> deliveries_ = {};
    std::deque<std::uint64_t> again_ = {};
    std::chrono::system_clock::time_point created_ = {};
    TimePoint active_ = {};
    TimePoint paused_until_ = {};
};

}  // namespace freshet::detail
