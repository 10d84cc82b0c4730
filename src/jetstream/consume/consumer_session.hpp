// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <freshet/metadata.hpp>
#include <freshet/transport.hpp>

#include "jetstream/api/api.hpp"
#include "jetstream/consume/acknowledger.hpp"
#include "jetstream/consume/delivery_policy.hpp"
#include "link/connection_watcher.hpp"
#include "link/request_group.hpp"

namespace freshet::detail {

/// How long the end of a loop over a consumer's messages waits for those that are on their way.
inline constexpr std::chrono::milliseconds arrival_time{1'000};

/// The owner of a ConsumerSession, which gets its messages.
class SessionOwner {
public:
    SessionOwner() = default;
    SessionOwner(const SessionOwner&) = delete;
    SessionOwner& operator=(const SessionOwner&) = delete;
    virtual ~SessionOwner() = default;

    /// Makes sure that the consumer exists. May block. The session calls it in start; when the consumer may be gone,
    /// the session calls it in a thread of its own, until it succeeds.
    virtual Expected<DeliveryTarget> declare() = 0;
    /// Called for each message, one at a time, on the transport's thread.
    virtual void on_message(Message message, const Metadata& metadata) noexcept = 0;
    /// Called for a heartbeat, when nothing was delivered for a while; `last` is the consumer sequence of the last
    /// delivery.
    virtual void on_heartbeat(std::uint64_t last) noexcept { (void)last; }
    /// Called when the connection or the consumer was lost. A settlement sent now could mean a message of another
    /// consumer of that name.
    virtual void on_doubt() noexcept {}
    /// Called when the consumer was found again, before its first message. Anew::yes: it is another one, made anew
    /// under its name.
    virtual void on_found(Acknowledger::Anew anew) noexcept { (void)anew; }
    /// Called when the server says that the session's request can never work. The session asks again, at longer and
    /// longer intervals.
    virtual void on_refused(const Error& why) noexcept { (void)why; }
    /// Called when no messages come although the connection is there, and why: the consumer was not found several times
    /// in a row, or the server refuses its messages. The session tries on.
    virtual void on_lost(const Error& why) noexcept { (void)why; }
    /// Called when that is past.
    virtual void on_back() noexcept {}
    /// Called last, and exactly once if start succeeded.
    virtual void on_end() noexcept = 0;
};

/// Receives the messages of a JetStream consumer: subscribes, sends the signals of its policy, goes on after the loss
/// of the server, and lets its owner declare the consumer anew when it may be gone. Thread-safe.
class ConsumerSession final : public ConnectionWatcher, public std::enable_shared_from_this<ConsumerSession> {
public:
    /// `who`: for log lines, `consumer "billing" of stream "ORDERS"`.
    ConsumerSession(std::shared_ptr<const JsApi> api, std::string who, std::unique_ptr<DeliveryPolicy> policy);
    ~ConsumerSession();

    /// Declares the consumer, subscribes, and begins. Blocks for answers of the server. Keeps the owner until on_end;
    /// if it fails, makes no later call to the owner, and does not keep it.
    Expected<void> start(const std::shared_ptr<SessionOwner>& owner);
    void handled(const Settled& settled) noexcept;
    /// Has the owner declare the consumer anew, because this one cannot be used any more.
    void declare_again() noexcept;

    /// Asks for nothing more. Does not block.
    void quiesce() noexcept;
    /// Asks for nothing more and ends the inbox: on_end follows. Does not block.
    void stop(std::chrono::milliseconds timeout) noexcept;
    bool stopping() const noexcept;
    std::size_t pending() const noexcept;

    void on_connection(ConnectionChange change) noexcept override;
    void on_refused(std::string_view subject, const Error& why) noexcept override;

private:
    class Inbox;
    using Lock = std::unique_lock<std::mutex>;

    /// Has the owner declare the consumer, and subscribes to it.
    Expected<DeliveryTarget> open(SessionOwner& owner);
    Expected<void> subscribe(const DeliveryTarget& target);
    void on_message(std::uint64_t inbox, Message message) noexcept;
    void on_end(std::uint64_t inbox) noexcept;
    /// Tells the owner that the server refuses the inbox.
    void on_lost(std::uint64_t inbox, const Error& why) noexcept;
    void on_back(std::uint64_t inbox) noexcept;
    /// Switches to the consumer that was found. Returns an error if its messages cannot be subscribed to.
    Expected<void> take_over(Lock& lock, DeliveryTarget target);
    /// Returns how long to wait before the consumer is looked for again.
    std::chrono::milliseconds recovery_pause();
    /// Sends the signal that is due, if there is one, and sets the timer. Unlocks.
    void pump(Lock lock) noexcept;
    void run(const std::function<void()>& call) noexcept;
    /// Returns the signal that is due, if there is one, and sets the timer.
    std::optional<DeliverySignal> next_signal();
    /// Sends a signal. Call it without the lock.
    void send(const DeliverySignal& signal) noexcept;
    void arm();
    void on_timer() noexcept;
    void on_status(std::uint64_t inbox, const Message& message) noexcept;
    bool left_over(const Metadata& metadata);
    void complain(const Message& status, LogLevel level);
    /// Tells the owner that the server refuses to deliver, until it delivers again or the connection is lost. Unlocks.
    void refuse(Lock lock, const Error& why) noexcept;
    /// Tells the owner that this is past, if it was told. Unlocks meanwhile.
    void forget_refusal(Lock& lock) noexcept;
    Expected<DeliveryTarget> declare(SessionOwner& owner);
    void recover(Lock& lock);
    void run_recovery() noexcept;
    /// Looks for the consumer until it is found or the session stops. Unlocks meanwhile.
    void find_consumer(Lock& lock) noexcept;
    /// Blocks for a round trip to the server, without the lock; not if the session stops.
    void flush(Lock& lock) noexcept;
    void finish(Lock lock) noexcept;

    const std::shared_ptr<const JsApi> api_;
    Link& link_;
    const std::string who_;

    mutable std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::shared_ptr<SessionOwner> owner_ = {};  // from start() to on_end
    const std::unique_ptr<DeliveryPolicy> policy_;
    DeliveryTarget target_ = {};
    std::string complained_ = {};  // the last status logged
    std::unique_ptr<TransportSubscription> subscription_ = {};
    std::uint64_t inbox_ = 0;          // number of the open inbox
    std::uint64_t last_delivery_ = 0;  // consumer sequence
    std::size_t left_over_ = 0;        // most messages that may still come from the consumer that is gone
    std::size_t recoveries_ = 0;       // since a message came
    std::uint64_t losses_ = 0;         // how often a loss of the connection was told
    TimePoint recovered_ = {};
    std::thread recovery_ = {};
    RequestGroup requests_ = {};  // of the thread that declares the consumer
    TimerId timer_ = {};
    bool armed_ = false;
    bool recovering_ = false;
    bool stopping_ = false;
    bool inbox_ended_ = false;
    bool refused_ = false;      // the owner was told that the server refuses to deliver
    bool lost_early_ = false;   // the connection was lost while start() worked
    bool reconnected_ = false;  // the connection came back while the recovery worked
};

}  // namespace freshet::detail
