// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common.hpp"

namespace freshet::detail {

class MemoryStream;
struct StoredParcel;

/// A pull consumer of a stream: what was delivered, what waits for its acknowledgement, who asked. Guarded by who owns it.
class MemoryConsumer {
public:
    MemoryConsumer(JetStreamContext& context, MemoryStream& stream, nlohmann::json config);

    static std::optional<ApiError> complete(nlohmann::json& config);

    const nlohmann::json& config() const noexcept { return config_; }
    void update(nlohmann::json config);
    nlohmann::json info() const;

    void pull(const std::string& reply_to, const nlohmann::json& request);
    /// `+ACK`, `-NAK`, `+TERM`, `+WPI`, for the message of this stream sequence.
    void settle(std::uint64_t sequence, std::string_view word);

    void on_stored(const StoredParcel& stored);
    void on_removed(const StoredParcel& stored);
    /// Whether it has not done with the message yet.
    bool needs(const StoredParcel& stored) const;

    /// When something is due without anybody's doing.
    TimePoint next_due() const;
    void run_due();
    /// Nobody has asked for as long as its inactive_threshold.
    bool inactive() const;
    /// The consumer is gone: who waits is told.
    void close();

private:
    struct Request {
        std::string reply_to;
        std::uint64_t left = 1;
        std::uint64_t bytes_left = 0;  // 0: no limit
        TimePoint expires = TimePoint::max();
        std::chrono::nanoseconds heartbeat = {};
        TimePoint beat = TimePoint::max();
        bool no_wait = false;
    };
    struct Pending {
        std::uint64_t consumer_sequence = 0;
        TimePoint due = {};  // when it is delivered again
    };

    void begin();
    bool wants(std::string_view subject) const;
    void pump();
    const StoredParcel* next();
    const StoredParcel* next_again();
    const StoredParcel* next_new();
    void deliver(const StoredParcel& stored);
    void end_request(std::deque<Request>::iterator request, int status, std::string_view text);
    void done_with(std::uint64_t sequence);
    void move_ack_floor();
    std::chrono::nanoseconds wait_after(std::uint64_t deliveries) const;
    bool acks() const { return config_.value("ack_policy", "none") != "none"; }

    JetStreamContext& context_;
    MemoryStream& stream_;
    nlohmann::json config_;
    std::vector<std::string> filters_ = {};
    std::uint64_t cursor_ = 1;           // the stream sequence to look at next
    std::set<std::uint64_t> only_ = {};  // last_per_subject: of those before `only_until_` these alone
    std::uint64_t only_until_ = 0;
    std::uint64_t delivered_ = 0;  // consumer sequence
    std::uint64_t delivered_stream_ = 0;
    std::uint64_t floor_ = 0;
    std::uint64_t floor_stream_ = 0;
    std::uint64_t pending_new_ = 0;  // messages at or behind the cursor
    std::map<std::uint64_t, Pending> pending_ = {};
    std::map<std::uint64_t, std::uint64_t> deliveries_ = {};
    std::deque<std::uint64_t> again_ = {};
    std::deque<Request> requests_ = {};
    TimePoint created_ = {};
    TimePoint active_ = {};
};

}  // namespace freshet::detail
