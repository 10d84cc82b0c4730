// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "testing/memory/jetstream/common.hpp"

namespace freshet::detail {

/// The messages that a consumer has for its clients.
struct Backlog {
    std::uint64_t pending = 0;      ///< messages not delivered yet
    std::uint64_t ack_pending = 0;  ///< messages delivered and not acknowledged
};

/// The requests that wait at a pull consumer for messages (ADR-37), in priority groups if it has some (ADR-42). The
/// owner guards it.
class PullQueue {
public:
    explicit PullQueue(JetStreamContext& context) : context_{context} {}

    void configure(const nlohmann::json& config);
    /// Adds a request, or refuses an invalid one. Returns whether it waits.
    bool add(const std::string& reply_to, const nlohmann::json& request);
    /// Returns whether a request may have a message now. Removes the requests to whose inbox nobody listens any more.
    bool ready(const Backlog& backlog);
    /// Sends a message to the next request. Returns false if no request waits, or none accepts this size.
    bool send(Parcel& parcel, const Backlog& backlog);
    /// Ends the requests that do not want to wait.
    void end_impatient();
    void unpin(std::string_view group);
    /// Ends all requests, because the consumer was removed.
    void close();

    std::size_t size() const noexcept { return requests_.size(); }
    TimePoint next_due() const;
    /// Ends expired requests and sends heartbeats. Returns whether a request has expired.
    bool run_due(std::uint64_t last_consumer, std::uint64_t last_stream);
    nlohmann::json groups() const;

private:
    struct Request {
        std::string reply_to;
        std::uint64_t left = 1;
        std::uint64_t bytes_left = 0;
        bool limits_bytes = false;
        TimePoint expires = TimePoint::max();
        std::chrono::nanoseconds heartbeat = {};
        TimePoint beat = TimePoint::max();
        bool no_wait = false;
        std::string group = {};
        std::string pin = {};
        std::uint64_t min_pending = 0;
        std::uint64_t min_ack_pending = 0;
        int priority = 0;
    };
    struct Pin {
        std::string id;
        TimePoint until;
    };
    using Requests = std::deque<Request>;

    std::string fault_of(const Request& request, std::chrono::nanoseconds expires) const;
    bool may_have(const Request& request, const Backlog& backlog) const;
    Requests::iterator turn(const Backlog& backlog);
    Requests::iterator end(Requests::iterator request, int status, std::string_view text);

    JetStreamContext& context_;
    Requests requests_ = {};
    std::uint64_t max_waiting_ = 512;
    std::uint64_t max_batch_ = 0;
    std::uint64_t max_bytes_ = 0;
    std::chrono::nanoseconds max_expires_ = {};
    std::string policy_ = {};
    std::vector<std::string> groups_ = {};
    std::chrono::nanoseconds pin_time_ = {};
    std::map<std::string, Pin, std::less<>> pins_ = {};  // by group
};

}  // namespace freshet::detail
