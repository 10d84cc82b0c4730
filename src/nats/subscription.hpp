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

/// All subscriptions of one transport: how many have not had their on_end, and what is done to all of them.
/// Thread-safe. Shared with the subscriptions' callbacks.
class Subscriptions final : public std::enable_shared_from_this<Subscriptions> {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    Expected<std::unique_ptr<TransportSubscription>> subscribe(natsConnection* connection, const SubscriptionSpec& spec,
                                                               std::shared_ptr<MessageSink> sink);

    /// The connections are about to be freed.
    void forget_connections();

    /// From now on what arrives or waits is dropped.
    void discard() noexcept { discarding_.store(true, std::memory_order_release); }

    /// Whether one of the deliveries drains by itself. Draining its connection as well would break cnats's queue, which
    /// gets the same control message twice.
    bool any_draining() const;
    /// Drains each of the deliveries, in a thread of cnats's each.
    void drain_each(std::chrono::milliseconds timeout);
    /// Ends those of the deliveries that have nothing waiting.
    void end_idle();
    /// Ends all of the deliveries; what waits is dropped.
    void end_all();
    /// Whether none of the deliveries lost what it had taken, as far as the subscriptions still exist.
    bool all_drained() const;

    /// The server has said this of a subscription of ours, such as `Permissions Violation for Subscription to "x"`.
    void refuse(const std::string& reason);
    /// cnats dropped messages of a subscription: tells its sink, or gives the event that the transport is to emit.
    std::optional<ConnectionEvent> report_dropped(natsSubscription* native);

    /// Waits for on_end of every subscription of the lane; false at the deadline.
    bool wait_until(Lane lane, Deadline deadline);
    /// Waits for on_end of all.
    void wait();

private:
    friend class Delivery;
    friend class NatsSubscription;

    template <class F>
    void for_each_delivery(F function) const;
    /// Whether the connection of a lane has lost its server and looks for one.
    bool is_disconnected(Lane lane) const;

    std::atomic<bool> discarding_ = false;
    mutable std::mutex mutex_ = {};  // what follows
    std::condition_variable changed_ = {};
    std::array<std::size_t, 2> open_ = {};             // without on_end, by lane
    std::array<natsConnection*, 2> connections_ = {};  // by lane; null: none yet, or none any more
    std::set<NatsSubscription*> existing_ = {};        // whose TransportSubscription was not destroyed
};

}  // namespace freshet::detail::nats
