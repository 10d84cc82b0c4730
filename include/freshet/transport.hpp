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

/// One of a broker's two connections, by the purpose of the subscriptions that it carries.
enum class Lane : std::uint8_t {
    deliveries,  ///< handlers: on a connection that does not publish, see docs/threads.md
    replies,     ///< an inbox: on the publishing connection, where alone a server reports "no responders"
};

/// One message to send. All members are views; their targets need to live only during the call.
struct Publication {
    std::string_view subject = {};
    std::string_view reply_to = {};
    Bytes payload = {};
    const Headers* headers = nullptr;
    Flush flush = Flush::batched;
    /// The connection that carries it, if that cannot block the one that delivers: `deliveries` for an answer or an
    /// acknowledgement, because a server lets a client with `allow_responses` answer only where it was asked.
    Lane lane = Lane::replies;
};

/// A subscription to make. The subject is in its form on the wire: `*` and `>`, no `{name}`.
struct SubscriptionSpec {
    std::string subject = {};
    std::string queue = {};                            ///< queue group; empty: none
    std::size_t max_pending_messages = 65'536;         ///< more are dropped and reported as slow_consumer; 0: no limit
    std::size_t max_pending_bytes = 64 * 1024 * 1024;  ///< bytes of waiting messages, headers included; 0: no limit
    Lane lane = Lane::deliveries;
};

/// The receiver of one subscription. The transport calls on_message, one call at a time, then on_end exactly once, then
/// nothing more. Neither may throw. The transport keeps the sink alive until on_end has returned.
class MessageSink {
public:
    MessageSink() = default;
    MessageSink(const MessageSink&) = delete;
    MessageSink& operator=(const MessageSink&) = delete;
    virtual ~MessageSink() = default;

    /// Receives one message.
    virtual void on_message(Message message) noexcept = 0;
    /// Is told that no message will follow.
    virtual void on_end() noexcept = 0;

    /// Is told that messages were dropped because more than the limits waited: `count` so far. Called from any thread,
    /// also during the other calls, from time to time and not for each message. Returns false to let the transport emit
    /// slow_consumer with the subscription's subject.
    virtual bool on_dropped(std::uint64_t count) noexcept {
        (void)count;
        return false;
    }

    /// Is told that nothing comes any more, and why: the server refuses the subscription, at once, after a reconnect,
    /// or because a right was taken away. Called from any thread, also during the other calls; must not block.
    virtual void on_lost(const Error& why) noexcept { (void)why; }
    /// Is told that what on_lost said is past: the subscription was made again, or is made again with the connection.
    /// Called like on_lost.
    virtual void on_back() noexcept {}
};

/// A live subscription. Destroying it unsubscribes without waiting; on_end follows. Thread-safe.
class TransportSubscription {
public:
    TransportSubscription() = default;
    TransportSubscription(const TransportSubscription&) = delete;
    TransportSubscription& operator=(const TransportSubscription&) = delete;
    virtual ~TransportSubscription() = default;

    /// Takes no more messages from the server, delivers those that have arrived, then calls on_end. Does not block.
    /// Messages that were not delivered when `timeout` has passed are dropped; with 0, at once.
    virtual void drain(std::chrono::milliseconds timeout) = 0;
    /// Ends the subscription after `count` messages in all, counted from its start; on_end follows the last one.
    /// `count` is 1 to 2^31-1; other values are Errc::bad_setup.
    virtual Expected<void> auto_unsubscribe(std::uint64_t count) = 0;

    /// Returns the number of messages that have arrived and wait for on_message.
    virtual std::size_t pending() const = 0;
    /// Returns the number of messages that were dropped because more than the limits waited.
    virtual std::uint64_t dropped() const = 0;

    /// Returns why the server refused the subscription, or nothing. Known once a flush that began later has returned.
    virtual std::optional<Error> refusal() const { return std::nullopt; }
};

/// The server that a transport talks to.
struct ServerInfo {
    std::string url = {};         ///< URL, without credentials
    std::string id = {};          ///< id that the server gave itself
    std::size_t max_payload = 0;  ///< largest payload that the server takes, in bytes
    // The fields below come from the server's first line; a connection that begins with TLS does not show them.
    std::string name = {};        ///< name in the server's configuration
    std::string version = {};     ///< version, such as "2.12.1"
    std::string cluster = {};     ///< name of its cluster; empty: none
    std::string domain = {};      ///< its JetStream domain; empty: none
    bool jetstream = false;       ///< JetStream is enabled on this server
    unsigned api_level = 0;       ///< its JetStream API level (ADR-44)
    bool headers = false;         ///< it takes messages with headers
    bool tls = false;             ///< it offers or requires TLS
    std::uint64_t client_id = 0;  ///< number of this broker's connection on the server, as `nats server` shows it
};

/// Counters of a transport since it was made, over all its connections.
struct TransportStats {
    std::uint64_t in_messages = 0;
    std::uint64_t in_bytes = 0;
    std::uint64_t out_messages = 0;
    std::uint64_t out_bytes = 0;
    std::uint64_t reconnects = 0;
};

/// Core NATS and nothing more: the seam between freshet and the library that carries messages. Everything above
/// (requests, JetStream, key-value, services) is spoken over it.
///
/// Threads: every function may be called from any thread, publish and subscribe also inside on_message. close and
/// drain_deliveries block, so they must not be called inside on_message.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    /// Connects, and tries again with jitter while no server answers; a refusal (credentials, TLS) fails at once. Makes
    /// at least one attempt and begins none after `wait`; each attempt takes up to connect_timeout per server. Call it
    /// once. A close from another thread ends it. When it fails, `events` is told nothing, except `waiting` after the
    /// first attempt that failed.
    virtual Expected<void> open(std::chrono::milliseconds wait, EventSink events) = 0;

    /// Sets a function to call as soon as a connection is lost, before the transport connects it again: what is
    /// acknowledged from then on waits until `events` is told `reconnected`. Call it before open. The function does not
    /// block; it may be called on any thread, also while `events` is told, and several times for one loss. Each call is
    /// followed by `disconnected` and `reconnected`, or by `closed`. By default it is never called, and `disconnected`
    /// is what tells of a loss. A transport that wraps another forwards this.
    virtual void on_loss(std::function<void()> lost) { static_cast<void>(lost); }

    /// Copies the message before it returns, so that the caller may reuse the memory behind `publication`. Returns
    /// Errc::buffer_full while disconnected and over the buffer's limit, Errc::closed after close,
    /// Errc::payload_too_large, Errc::disconnected when the connection breaks during the call. The caller has checked
    /// subject and headers.
    virtual Expected<void> publish(const Publication& publication) = 0;

    /// Subscribes and returns before the server knows of it; flush waits for that. When it fails, the sink is never
    /// called.
    virtual Expected<std::unique_ptr<TransportSubscription>> subscribe(const SubscriptionSpec& spec,
                                                                       std::shared_ptr<MessageSink> sink) = 0;

    /// Blocks for a round trip on every connection: when it returns, the server has seen all subscriptions and
    /// publications, and TransportSubscription::refusal tells which subscriptions it refused. Returns Errc::timeout if
    /// the server does not answer within `timeout`.
    virtual Expected<void> flush(std::chrono::milliseconds timeout) = 0;

    /// Ends every subscription of Lane::deliveries, all in parallel: takes nothing new and delivers the messages that
    /// have arrived. Blocks until each subscription had its on_end, or until `timeout`. Returns false when messages
    /// were left.
    virtual bool drain_deliveries(std::chrono::milliseconds timeout) = 0;

    /// Sends the buffered messages, for `timeout` at most (half a second is always granted), and closes; messages that
    /// wait to be delivered are dropped. Blocks for a handler that runs, however long that takes: after the return no
    /// callback runs or will run. Later calls, or calls from several threads, do nothing more.
    virtual void close(std::chrono::milliseconds timeout) = 0;

    /// Returns what is known of the server; empty before open.
    virtual ServerInfo server() const = 0;
    /// Returns the counters.
    virtual TransportStats stats() const = 0;
};

/// Makes the transport of a broker, which is not open yet, from the broker's options. Called once, by the broker's
/// constructor, with what the environment says already in the options. See docs/transports.md.
using TransportFactory = std::function<std::unique_ptr<Transport>(const BrokerOptions&)>;

/// Makes the transport that a broker has unless it is given another: connections to a nats-server. A transport of your
/// own may wrap it. Throws Error(Errc::bad_setup) for options that contradict each other.
std::unique_ptr<Transport> nats_transport(const BrokerOptions& options);

}  // namespace freshet
