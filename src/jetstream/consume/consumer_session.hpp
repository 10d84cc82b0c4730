// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/delivery_policy.hpp"
#include "link/connection_watcher.hpp"

namespace freshet::detail {

/// Whom a ConsumerSession works for.
class SessionOwner {
public:
    SessionOwner() = default;
    SessionOwner(const SessionOwner&) = delete;
    SessionOwner& operator=(const SessionOwner&) = delete;
    virtual ~SessionOwner() = default;

    /// Makes sure that there is a consumer. May block. Called by start, and whenever it may be gone, then in
    /// a thread of its own, again and again until it succeeds.
    virtual Expected<DeliveryTarget> declare() = 0;
    /// One at a time, from the transport's thread.
    virtual void on_message(Message message, const Metadata& metadata) noexcept = 0;
    /// Nothing was delivered for a while; `last` is the consumer sequence of the last delivery.
    virtual void on_heartbeat(std::uint64_t last) noexcept { (void)last; }
    /// The connection or the consumer was lost: what is settled now could mean messages of another consumer of its
    /// name.
    virtual void on_doubt() noexcept {}
    /// The consumer is there again; Anew::yes: another one, made anew under its name. Before its first message.
    virtual void on_found(Acknowledger::Anew anew) noexcept { (void)anew; }
    /// The server says that what the session asks for will never work. It is asked again, at longer and longer
    /// intervals.
    virtual void on_refused(const Error& why) noexcept { (void)why; }
    /// The last call, exactly once if start succeeded.
    virtual void on_end() noexcept = 0;
};

/// Takes what a JetStream consumer delivers: subscribes, sends what its policy says, survives the loss of the server,
/// and has its owner declare the consumer anew when it may be gone. Thread-safe.
class ConsumerSession final : public ConnectionWatcher, public std::enable_shared_from_this<ConsumerSession> {
public:
    /// `who`: for log lines, `consumer "billing" of stream "ORDERS"`.
    ConsumerSession(std::shared_ptr<const JsApi> api, std::string who, std::unique_ptr<DeliveryPolicy> policy,
                    std::shared_ptr<SessionOwner> owner);
    ~ConsumerSession();

    /// Declares the consumer, subscribes, and begins. Blocks for answers of the server. When it fails the owner is not
    /// called.
    Expected<void> start();
    void handled(const Settled& settled) noexcept;
    /// The consumer is no good any more: it is declared anew.
    void declare_again() noexcept;

    /// Asks for nothing more. Does not block.
    void quiesce() noexcept;
    /// Asks for nothing more and ends the inbox: on_end follows. Does not block.
    void stop(std::chrono::milliseconds timeout) noexcept;
    bool stopping() const noexcept;
    std::size_t pending() const noexcept;

    void on_connection(bool up) noexcept override;

private:
    class Inbox;
    using Lock = std::unique_lock<std::mutex>;

    Expected<void> subscribe(const DeliveryTarget& target);
    void on_message(std::uint64_t inbox, Message message) noexcept;
    void on_end(std::uint64_t inbox) noexcept;
    /// Goes over to the consumer that was found. False: it cannot be listened to.
    Expected<void> take_over(Lock& lock, DeliveryTarget target);
    /// How long to wait before the consumer is looked after once more.
    std::chrono::milliseconds recovery_pause();
    /// Sends what is to be sent now and sets the timer. Unlocks.
    void pump(Lock lock) noexcept;
    void arm();
    void on_timer() noexcept;
    void on_status(std::uint64_t inbox, const Message& message) noexcept;
    bool left_over(const Metadata& metadata);
    void complain(const Message& status, LogLevel level);
    void recover(Lock& lock);
    void run_recovery() noexcept;
    void finish(Lock lock) noexcept;

    const std::shared_ptr<const JsApi> api_;
    Link& link_;
    const std::string who_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::shared_ptr<SessionOwner> owner_;  // until on_end
    const std::unique_ptr<DeliveryPolicy> policy_;
    DeliveryTarget target_ = {};
    std::string complained_ = {};  // the last status logged
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::uint64_t inbox_ = 0;          // the number of the one that is listened to
    std::uint64_t last_delivery_ = 0;  // consumer sequence
    std::size_t left_over_ = 0;        // the next messages may be of the consumer that is gone: at most so many
    std::size_t recoveries_ = 0;       // since a message came
    TimePoint recovered_ = {};
    std::thread recovery_ = {};
    TimerId timer_ = {};
    bool armed_ = false;
    bool recovering_ = false;
    bool stopping_ = false;
    bool inbox_ended_ = false;
    bool lost_early_ = false;  // the connection was lost while start() worked
};

}  // namespace freshet::detail
