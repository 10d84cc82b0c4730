// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/buffer.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/events.hpp>
#include <freshet/message.hpp>
#include <freshet/options.hpp>

namespace freshet {

/// One message to send. All views; they need to live only during the call.
struct Publication {
    std::string_view subject = {};
    std::string_view reply_to = {};
    Bytes payload = {};
    const Headers* headers = nullptr;
    Flush flush = Flush::batched;
};

/// Who reads a subscription.
enum class Lane : std::uint8_t {
    deliveries,  ///< handlers: read apart from what is published, see docs/threads.md
    replies,     ///< an inbox: on the connection that publishes, since a server tells "no responders" only there
};

/// What to subscribe to. The subject is on the wire as given: `*` and `>`, no `{name}`.
struct SubscriptionSpec {
    std::string subject = {};
    std::string queue = {};
    std::size_t max_pending_messages = 65'536;         ///< more are dropped and reported as slow_consumer; 0: no limit
    std::size_t max_pending_bytes = 64 * 1024 * 1024;  ///< headers count; 0: no limit
    Lane lane = Lane::deliveries;
};

/// What a transport calls for one subscription: on_message one at a time, then on_end exactly once, then nothing.
/// Neither may throw. A transport keeps the sink alive until on_end has returned.
class MessageSink {
public:
    MessageSink() = default;
    MessageSink(const MessageSink&) = delete;
    MessageSink& operator=(const MessageSink&) = delete;
    virtual ~MessageSink() = default;

    virtual void on_message(Message message) noexcept = 0;
    virtual void on_end() noexcept = 0;

    /// Messages were dropped, since more than the limits waited: `count` so far. From any thread, also during the others; at times,
    /// not for each. False: the transport is to emit slow_consumer itself, with the subscription's subject.
    virtual bool on_dropped(std::uint64_t count) noexcept {
        (void)count;
        return false;
    }
};

/// A live subscription. Destroying it unsubscribes without waiting: on_end follows. Its functions are thread-safe.
class TransportSubscription {
public:
    TransportSubscription() = default;
    TransportSubscription(const TransportSubscription&) = delete;
    TransportSubscription& operator=(const TransportSubscription&) = delete;
    virtual ~TransportSubscription() = default;

    /// Takes no more from the server, delivers what has arrived, then on_end. Does not block; messages not delivered
    /// when `timeout` has passed are dropped; 0: at once.
    virtual void drain(std::chrono::milliseconds timeout) = 0;
    /// Stop after `count` messages in all, counted from the start; the last is followed by on_end. 1 to 2^31-1.
    virtual Expected<void> auto_unsubscribe(std::uint64_t count) = 0;

    /// Messages that arrived and wait for on_message.
    virtual std::size_t pending() const = 0;
    /// Messages dropped because more than the limits waited.
    virtual std::uint64_t dropped() const = 0;

    /// Why the server refused it. Known once a flush that began later has returned.
    virtual std::optional<Error> refusal() const { return std::nullopt; }
};

/// What the transport knows of the server it talks to.
struct ServerInfo {
    std::string url = {};
    std::string id = {};
    std::size_t max_payload = 0;  ///< bytes
};

struct TransportStats {
    std::uint64_t in_messages = 0;
    std::uint64_t in_bytes = 0;
    std::uint64_t out_messages = 0;
    std::uint64_t out_bytes = 0;
    std::uint64_t reconnects = 0;
};

/// Core NATS and nothing more: the seam between freshet and what carries messages. Everything above (requests,
/// JetStream, key-value, services) is spoken over it.
///
/// Threads: every function may be called from any thread, publish and subscribe also inside on_message.
/// close and drain_deliveries wait, so not inside on_message.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    /// Connects, trying again with jitter as long as no server answers; a refusal (credentials, TLS) fails at once. Begins
    /// no attempt after `wait`, and makes one at least; each takes up to connect_timeout per server. Called once.
    /// A close from another thread ends it. Nothing but `waiting`, after a first attempt in vain, is emitted when it fails.
    virtual Expected<void> open(std::chrono::milliseconds wait, EventSink events) = 0;

    /// Copies the message out. Errc::buffer_full while disconnected and over the buffer's limit, Errc::closed after
    /// close, Errc::payload_too_large. Subjects and headers have been checked by the caller.
    virtual Expected<void> publish(const Publication& publication) = 0;

    /// Returns before the server knows of it: flush tells. When it fails the sink is never called.
    virtual Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                                       std::shared_ptr<MessageSink> sink) = 0;

    /// A round trip on every connection: when it returns, the server has seen all subscriptions and publications, and
    /// TransportSubscription::refusal tells which of them it refused.
    virtual Expected<void> flush(std::chrono::milliseconds timeout) = 0;

    /// Stops every subscription of Lane::deliveries: nothing new is taken, what has arrived is delivered, all in parallel.
    /// Blocks until each had its on_end, or `timeout`; false when something was left.
    virtual bool drain_deliveries(std::chrono::milliseconds timeout) = 0;

    /// Sends what is buffered, for `timeout` at most (half a second is always granted), and closes; what waits to be
    /// delivered is dropped. When it returns no callback runs or will run: it waits for a handler that runs, however
    /// long that takes. Again, or from several threads: does nothing more.
    virtual void close(std::chrono::milliseconds timeout) = 0;

    virtual ServerInfo server() const = 0;
    virtual TransportStats stats() const = 0;
};

/// Makes the transport of a broker, which is not open yet, from the broker's options. Called once, by the broker's constructor, with
/// what the environment says already in the options. See docs/transports.md.
using TransportFactory = std::function<std::unique_ptr<Transport>(const BrokerOptions&)>;

/// Makes the transport that a broker has unless it is given another: connections to a nats-server. A transport of your own may wrap it.
/// Throws Error(Errc::bad_setup) for options that contradict each other.
std::unique_ptr<Transport> nats_transport(const BrokerOptions& options);

}  // namespace freshet
