// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/pull_pipeline.hpp"
#include "link/connection_watcher.hpp"

namespace freshet::detail {

struct PullSettings {
    PullLimits limits = {};
    std::string group = {};            ///< priority group (ADR-42)
    std::int64_t min_pending = 0;      ///< with the policy overflow
    std::int64_t min_ack_pending = 0;  ///< with the policy overflow
    int priority = 0;                  ///< with the policy prioritized
    bool push = false;     ///< the consumer sends by itself: nothing is asked for, but all the rest is the same
    std::string who = {};  ///< for log lines: `consumer "billing" of stream "ORDERS"`
};

/// Where a PullSession gets its messages.
struct PullTarget {
    std::string consumer = {};                ///< STREAM.NAME
    std::string deliver_subject = {};         ///< of a push consumer
    std::string deliver_group = {};           ///< of a push consumer with a queue group
    std::chrono::nanoseconds heartbeat = {};  ///< of a push consumer; 0: it sends none
};

/// Whom a PullSession pulls for.
class PullOwner {
public:
    PullOwner() = default;
    PullOwner(const PullOwner&) = delete;
    PullOwner& operator=(const PullOwner&) = delete;
    virtual ~PullOwner() = default;

    /// Makes sure that there is a consumer. May block. Called by start, and whenever it may be gone, then in
    /// a thread of its own, again and again until it succeeds.
    virtual Expected<PullTarget> declare() = 0;
    /// One at a time, from the transport's thread.
    virtual void on_message(Message message, const Metadata& metadata) noexcept = 0;
    /// Nothing was delivered for a while; `last` is the consumer sequence of the last delivery.
    virtual void on_heartbeat(std::uint64_t last) noexcept { (void)last; }
    /// The last call, exactly once if start succeeded.
    virtual void on_end() noexcept = 0;
};

/// Pulls messages of a JetStream consumer, as PullPipeline says: one inbox, requests, statuses, heartbeats. Survives the loss of
/// the server, and has its owner declare the consumer anew when it may be gone. Thread-safe.
class PullSession final : public MessageSink,
                          public ConnectionWatcher,
                          public std::enable_shared_from_this<PullSession> {
public:
    PullSession(std::shared_ptr<const JsApi> api, PullSettings settings, std::shared_ptr<PullOwner> owner);
    ~PullSession() override;

    /// Declares the consumer, subscribes, and pulls. Blocks for answers of the server. When it fails the owner is not called.
    Expected<void> start();
    void handled(const Settled& settled) noexcept;
    /// The consumer is no good any more: it is declared anew.
    void declare_again() noexcept;

    /// Asks for nothing more. Does not block.
    void quiesce() noexcept;
    /// The same, and ends the inbox: on_end follows. Does not block.
    void stop(std::chrono::milliseconds timeout) noexcept;
    bool stopping() const noexcept;
    std::size_t pending() const noexcept;

    void on_message(Message message) noexcept override;
    void on_end() noexcept override;
    void on_connection(bool up) noexcept override;

private:
    using Lock = std::unique_lock<std::mutex>;

    Expected<void> subscribe(const PullTarget& target);
    /// Sends what is to be sent now and sets the timer. Unlocks.
    void pump(Lock lock) noexcept;
    void send(const PullRequest& request, const std::string& consumer, const std::string& pin) noexcept;
    void arm();
    void on_timer() noexcept;
    void on_status(const Message& message) noexcept;
    void answer_flow_control(const Message& message);
    void complain(const PullStatus& status, bool error);
    void recover(Lock& lock);
    void run_recovery() noexcept;
    void finish(Lock lock) noexcept;

    const std::shared_ptr<const JsApi> api_;
    Link& link_;
    const PullSettings settings_;
    std::string inbox_;  // what begins the subjects of statuses: with a dot at its end, or a deliver subject

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::shared_ptr<PullOwner> owner_;  // until on_end
    PullPipeline pipeline_;
    PullTarget target_ = {};
    std::uint64_t request_ = 0;    // the number of the last one
    std::string flow_reply_ = {};  // where the server waits to hear that what it sent is handled
    std::string pin_ = {};
    std::string complained_ = {};  // the last status logged
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::thread recovery_ = {};
    TimerId timer_ = {};
    bool armed_ = false;
    bool recovering_ = false;
    bool stopping_ = false;
    bool inbox_ended_ = false;
};

}  // namespace freshet::detail
