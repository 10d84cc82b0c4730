// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one public header that shows cnats: for what freshet does not wrap. The core needs none of it.

#include <memory>

#include <nats/nats.h>

#include <freshet/message.hpp>
#include <freshet/transport.hpp>

namespace freshet {
class Broker;
}

namespace freshet::native {

/// What frees an object of cnats's.
template <auto Destroy>
struct Destroyer {
    template <class T>
    void operator()(T* object) const noexcept {
        static_cast<void>(Destroy(object));
    }
};

/// Owns an object of cnats's: a unique_ptr as wide as a pointer.
template <class T, auto Destroy>
using Handle = std::unique_ptr<T, Destroyer<Destroy>>;

using ConnectionHandle = Handle<natsConnection, &natsConnection_Destroy>;
using OptionsHandle = Handle<natsOptions, &natsOptions_Destroy>;
using MessageHandle = Handle<natsMsg, &natsMsg_Destroy>;
using StatisticsHandle = Handle<natsStatistics, &natsStatistics_Destroy>;
using SubscriptionHandle = Handle<natsSubscription, &natsSubscription_Destroy>;

/// cnats's message, still owned by `message`. Null for an empty Message.
/// Do not acknowledge with it (natsMsg_Ack and the like): the subscription they reach for may be gone.
inline natsMsg* native(const Message& message) noexcept { return message.native(); }

/// A Message that owns `message`.
inline Message wrap(MessageHandle message) noexcept { return Message{message.release()}; }

/// cnats's message, which the caller owns from now on.
inline MessageHandle unwrap(Message message) noexcept { return MessageHandle{message.release()}; }

/// cnats's connection under a broker: the one that publishes and has the reply inboxes, or the one that delivers to
/// subscribers. Null before start(), valid as long as the broker. Neither close nor destroy it.
natsConnection* connection(const Broker& broker, Lane lane = Lane::replies) noexcept;

}  // namespace freshet::native
