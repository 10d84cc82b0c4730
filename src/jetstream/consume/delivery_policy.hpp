// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

#include "jetstream/consume/settled.hpp"

namespace freshet::detail {

/// What a consumer allows a pull request; 0: any.
struct RequestLimits {
    std::size_t batch = 0;
    std::size_t bytes = 0;
    std::chrono::nanoseconds expires = {};
};

/// Where a ConsumerSession gets its messages.
struct DeliveryTarget {
    std::string consumer = {};  ///< STREAM.NAME
    std::string identity = {};  ///< differs if a consumer of the same name was made anew; empty: no name is used twice
    std::string deliver_subject = {};         ///< of a push consumer
    std::string deliver_group = {};           ///< of a push consumer with a queue group
    std::chrono::nanoseconds heartbeat = {};  ///< of a push consumer; 0: it sends none
    RequestLimits limits = {};                ///< of a pull consumer
};

/// What to subscribe to.
struct DeliveryInbox {
    std::string subject = {};
    std::string queue = {};
};

/// A message to the server.
struct DeliverySignal {
    std::string subject = {};
    std::string reply_to = {};
    std::string body = {};
};

/// What a status means for the session.
enum class DeliveryVerdict : std::uint8_t {
    go_on,    ///< part of the routine
    stale,    ///< about a request that was forgotten: it says nothing of the consumer there is now
    warn,     ///< adapted to, but somebody should know: a limit of the consumer's
    lost,     ///< the consumer, or JetStream, may be gone: see to it, then begin()
    refused,  ///< it will never work
};

/// How messages of a consumer come: asked for (PullPolicy), or sent by the server (PushFlow). Says what to send and
/// when; knows no connection and no thread. Not thread-safe.
class DeliveryPolicy {
public:
    DeliveryPolicy() = default;
    DeliveryPolicy(const DeliveryPolicy&) = delete;
    DeliveryPolicy& operator=(const DeliveryPolicy&) = delete;
    virtual ~DeliveryPolicy() = default;

    /// Where what the consumer delivers arrives from now on, with the statuses about it.
    virtual DeliveryInbox open_inbox(const DeliveryTarget& target) = 0;
    /// The consumer is there, for the first time or after a loss: nothing is on its way from before.
    virtual void begin(const DeliveryTarget& target, TimePoint now) = 0;

    /// Returns the signal to send now, if there is one. Each is returned once.
    virtual std::optional<DeliverySignal> next(TimePoint now) = 0;
    /// A message came. Called in the order of arrival.
    virtual void received(const Message& message, const Metadata& metadata, TimePoint now) = 0;
    virtual void handled(const Settled& settled, TimePoint now) = 0;
    /// The server said something about the delivery: a message without payload and with a status, which is no stored
    /// one.
    virtual DeliveryVerdict status(const Message& message, TimePoint now) = 0;

    /// The connection is gone: what was to come will not come.
    virtual void disconnected() noexcept = 0;
    /// Asks for nothing more.
    virtual void stop() noexcept = 0;

    /// Whether the server has given no sign of life for two heartbeats while it should have.
    virtual bool overdue(TimePoint now) const noexcept = 0;
    /// Returns when next() or overdue() may change by themselves; nothing: not without an event.
    virtual std::optional<TimePoint> deadline() const noexcept = 0;
};

}  // namespace freshet::detail
