// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <freshet/clock.hpp>
#include <freshet/message.hpp>
#include <freshet/metadata.hpp>

#include "jetstream/consume/settled.hpp"

namespace freshet::detail {

/// The limits that a consumer sets to a pull request; 0: none.
struct RequestLimits {
    std::size_t batch = 0;
    std::size_t bytes = 0;
    std::chrono::nanoseconds expires = {};
};

/// The consumer from which a ConsumerSession gets its messages.
struct DeliveryTarget {
    std::string consumer = {};         ///< STREAM.NAME
    std::string identity = {};         ///< differs for another consumer of the same name; empty: no name is used twice
    std::string deliver_subject = {};  ///< of a push consumer
    std::string deliver_group = {};    ///< of a push consumer with a queue group
    std::chrono::nanoseconds heartbeat = {};  ///< of a push consumer; 0: it sends none
    RequestLimits limits = {};                ///< of a pull consumer
};

/// A subject, and perhaps a queue group, to subscribe to.
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

/// The meaning of a status for the session.
enum class DeliveryVerdict : std::uint8_t {
    go_on,    ///< part of the routine
    stale,    ///< about a forgotten request: it says nothing about the present consumer
    warn,     ///< a limit of the consumer's, to which the policy adapts; worth a line in the log
    lost,     ///< the consumer, or JetStream, may be gone: recover, then call begin()
    refused,  ///< the session's request can never work
};

/// Decides what to send to the server, and when, so that a consumer's messages come: by asking for them (PullPolicy),
/// or as the server sends them (PushFlow). Knows no connection and no thread. Not thread-safe.
class DeliveryPolicy {
public:
    DeliveryPolicy() = default;
    DeliveryPolicy(const DeliveryPolicy&) = delete;
    DeliveryPolicy& operator=(const DeliveryPolicy&) = delete;
    virtual ~DeliveryPolicy() = default;

    /// Returns the inbox to which the consumer's messages and statuses come from now on.
    virtual DeliveryInbox open_inbox(const DeliveryTarget& target) = 0;
    /// Begins with a consumer, the first one or one found after a loss: nothing is on its way from before.
    virtual void begin(const DeliveryTarget& target, TimePoint now) = 0;

    /// Returns the signal to send now, if there is one. Each is returned once.
    virtual std::optional<DeliverySignal> next(TimePoint now) = 0;
    /// Notes a message that came. Called in the order of arrival. Returns whether take_call() has something.
    virtual bool received(const Message& message, const Metadata& metadata, TimePoint now) = 0;
    virtual void handled(const Settled& settled, TimePoint now) = 0;
    /// Notes a status, and returns what it means. A status is a message without payload that the server sends about the
    /// delivery; it is not a stored message.
    virtual DeliveryVerdict status(const Message& message, TimePoint now) = 0;

    /// Returns what to call after status(), or after received() has said so, and before the message is passed on; empty
    /// if nothing. It may throw.
    virtual std::function<void()> take_call() { return {}; }

    /// Notes that the connection is gone, and that nothing asked for will come.
    virtual void disconnected() noexcept = 0;
    /// Asks for nothing more.
    virtual void stop() noexcept = 0;

    /// Returns whether the server has given no sign of life for two heartbeats although it should have.
    virtual bool overdue(TimePoint now) const noexcept = 0;
    /// Returns when next() or overdue() may change without an event; nothing if they will not.
    virtual std::optional<TimePoint> deadline() const noexcept = 0;
};

}  // namespace freshet::detail
