// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <freshet/transport.hpp>

#include "nats/handle.hpp"

namespace freshet::detail::nats {

class Delivery;
class NatsSubscription;

/// All subscriptions of one transport: counts those that have not had their on_end, and drains or ends all of them.
/// Thread-safe. Shared with the subscriptions' callbacks.
class Subscriptions final : public std::enable_shared_from_this<Subscriptions> {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    Expected<std::unique_ptr<TransportSubscription>> subscribe(natsConnection* connection, const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink);

    /// Forgets the connections. Call it before they are freed.
    void forget_connections();

    /// Drops the messages that wait, and those that arrive from now on.
    void discard() noexcept { discarding_.store(true, std::memory_order_release); }

    /// Returns whether one of the deliveries is draining. If its connection were drained too, cnats's queue would get
    /// the same control message twice, and break.
    bool any_draining() const;
    /// Drains each of the deliveries, each in a thread of cnats.
    void drain_each(std::chrono::milliseconds timeout);
    /// Ends the deliveries that have no message waiting.
    void end_idle();
    /// Ends all deliveries, and drops the messages that wait.
    void end_all();
    /// Returns whether no delivery has lost a message that it had accepted. Looks at the subscriptions that still
    /// exist.
    bool all_drained() const;

    /// Handles an error of the server about a subscription, such as `Permissions Violation for Subscription to "x"`,
    /// which came over the connection of `lane`; nothing: of all lanes.
    void refuse(std::optional<Lane> lane, const std::string& reason);
    /// Forgets what the server has refused over the connection of `lane`, which is lost: it is asked again afterwards.
    void forget_refusals(std::optional<Lane> lane);
    /// Called when cnats has dropped messages of a subscription: tells its sink, or returns the event for the transport
    /// to emit.
    std::optional<ConnectionEvent> report_dropped(natsSubscription* native);

    /// Blocks until every subscription of the lane has had on_end. Returns false at the deadline.
    bool wait_until(Lane lane, Deadline deadline);
    /// Blocks until all subscriptions have had on_end.
    void wait();

private:
    friend class Delivery;
    friend class NatsSubscription;

    template <class F>
    void for_each_delivery(F function) const;
    /// Returns whether the connection of a lane has lost its server and looks for one.
    bool is_disconnected(Lane lane) const;

    std::atomic<bool> discarding_ = false;
    mutable std::mutex connections_mutex_ = {};        // guards connections_; may be taken under mutex_
    std::array<natsConnection*, 2> connections_ = {};  // by lane; null before a subscription and when forgotten
    mutable std::mutex mutex_ = {};                    // guards the members below
    std::condition_variable changed_ = {};
    std::array<std::size_t, 2> open_ = {};       // subscriptions without on_end, by lane
    std::set<NatsSubscription*> existing_ = {};  // subscriptions whose TransportSubscription lives
};

}  // namespace freshet::detail::nats
