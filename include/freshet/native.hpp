// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one public header that shows cnats, for features that freshet does not wrap. The rest of freshet does not need
// it.

#include <memory>

#include <nats/nats.h>

#include <freshet/message.hpp>
#include <freshet/transport.hpp>

namespace freshet {
class Broker;
}

namespace freshet::native {

/// Frees an object of cnats's with its own function.
template <auto Destroy>
struct Destroyer {
    template <class T>
    void operator()(T* object) const noexcept {
        static_cast<void>(Destroy(object));
    }
};

/// Owns an object of cnats's: a unique_ptr as large as a pointer.
template <class T, auto Destroy>
using Handle = std::unique_ptr<T, Destroyer<Destroy>>;

using ConnectionHandle = Handle<natsConnection, &natsConnection_Destroy>;
using OptionsHandle = Handle<natsOptions, &natsOptions_Destroy>;
using MessageHandle = Handle<natsMsg, &natsMsg_Destroy>;
using StatisticsHandle = Handle<natsStatistics, &natsStatistics_Destroy>;
using SubscriptionHandle = Handle<natsSubscription, &natsSubscription_Destroy>;

/// Returns cnats's message, which `message` still owns; null for an empty Message. Do not acknowledge with it
/// (natsMsg_Ack and the like): those functions use the subscription, which may be gone.
inline natsMsg* native(const Message& message) noexcept { return message.native(); }

/// Returns a Message that owns `message`.
inline Message wrap(MessageHandle message) noexcept { return Message{message.release()}; }

/// Returns cnats's message; the caller owns it from now on.
inline MessageHandle unwrap(Message message) noexcept { return MessageHandle{message.release()}; }

/// Returns cnats's connection under a broker: the connection that publishes and has the reply inboxes, or the one that
/// delivers to subscribers. Null before start(); valid as long as the broker. Neither close nor destroy it.
natsConnection* connection(const Broker& broker, Lane lane = Lane::replies) noexcept;

}  // namespace freshet::native
