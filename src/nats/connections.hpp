// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/transport.hpp>

#include "nats/attempts.hpp"
#include "nats/handle.hpp"
#include "nats/refusals.hpp"
#include "nats/status.hpp"
#include "nats/told_reasons.hpp"

namespace freshet::detail::nats {

class Subscriptions;

/// The natsConnections of one transport, which look like one: they open and close together, and their callbacks become
/// the broker's events. There are two, one that delivers and one that publishes. With `no_echo` there is only one,
/// because a server leaves out only the messages that came over the connection that subscribes. Thread-safe. Shared
/// with callbacks that run.
class Connections final : public std::enable_shared_from_this<Connections> {
public:
    Connections(const BrokerOptions& options, std::shared_ptr<Subscriptions> subscriptions);
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;
    ~Connections();

    /// See Transport::open.
    Expected<void> open(std::chrono::milliseconds wait, EventSink events);
    /// See Transport::on_loss. Call it before open.
    void on_loss(std::function<void()> lost) { loss_ = std::move(lost); }
    /// See Transport::close. Inside a callback it does not wait for callbacks.
    void close(std::chrono::milliseconds timeout);

    /// Blocks, after a round trip, until the subscriptions know of the refusals that the server sent before its answer.
    void await_refusals(Lane lane, std::chrono::steady_clock::time_point deadline);

    /// Drains the deliveries' connection: it accepts no more messages, delivers those that it has, and closes. Returns
    /// false if it has no server: then nothing comes, and nothing can be drained. Call it only with two connections.
    bool start_drain(std::chrono::milliseconds timeout);

    /// Returns the connection of a lane; null until it is open. Valid as long as this object, also when closed.
    natsConnection* native(Lane lane) const noexcept {
        return native_[static_cast<std::size_t>(lane)].load(std::memory_order_acquire);
    }
    /// Returns what is known of the server that the connection for publications talks to.
    ServerInfo server();
    bool is_single() const noexcept { return options_.no_echo; }
    std::uint64_t reconnects() const noexcept { return reconnects_.load(std::memory_order_relaxed); }

private:
    class Connection;
    /// Whether to wait for what a server says before it closes a new connection.
    enum class Listen : std::uint8_t { no, first };
    using All = std::vector<std::shared_ptr<Connection>>;
    static constexpr std::array both_lanes{Lane::replies, Lane::deliveries};

    Expected<void> connect_until(std::chrono::milliseconds wait);
    /// Makes the connections. Returns the failed attempts of the first that could not be made; none on success.
    std::vector<FailedAttempt> connect_all(Listen listen);
    std::vector<FailedAttempt> connect(Lane lane, std::string_view first_server, Listen listen);
    void drop_all();
    bool announce();
    bool is_closing();
    void sleep(std::chrono::milliseconds time);

    // Called by connections. The connections of failed attempts are ignored.
    void on_lost();
    void on_disconnected(Connection& connection);
    void on_reconnected(Connection& connection);
    void on_lame_duck(Connection& connection);
    void on_closed(Connection& connection);
    void on_error(Connection& connection, natsSubscription* subscription, const Failure& failure);
    void on_failed(Connection& connection, const std::vector<FailedAttempt>& attempts);
    /// Returns whether one of the reasons is to be told.
    bool is_news(const std::vector<FailedAttempt>& attempts);
    bool is_news(const FailedAttempt& attempt);
    /// Returns the event that tells of the loss of a connection.
    ConnectionEvent loss_of(Connection& connection) const;
    std::chrono::milliseconds delay(int round) const;

    void tell_loss() noexcept;
    All find_other_losses();
    /// Returns whose subscriptions the connection carries; nothing: those of all lanes.
    std::optional<Lane> carried_by(const Connection& connection) const;
    All losing();
    void mark_down(const All& connections);
    bool ignores(const Connection& connection) const;
    bool all_up() const;
    bool all_closed() const;
    std::string url() const;
    void emit(const ConnectionEvent& event) noexcept;
    void emit_locked(const ConnectionEvent& event) noexcept;

    BrokerOptions options_;
    std::shared_ptr<Subscriptions> subscriptions_;
    std::array<std::atomic<natsConnection*>, 2> native_ = {};
    std::atomic<std::uint64_t> reconnects_ = 0;

    std::mutex mutex_ = {};  // guards the members below
    std::condition_variable changed_ = {};
    All all_ = {};
    bool opened_ = false;
    bool closing_ = false;
    bool down_ = false;       // "disconnected" was emitted, "reconnected" not yet
    bool lame_duck_ = false;  // "lame_duck" was emitted for this server
    bool ended_ = false;      // "closed" was emitted; nothing follows
    std::string end_ = {};    // why cnats closed the connection
    Refusals refusals_ = {};
    ToldReasons told_ = {};  // why servers could not be reached, since they last were

    std::mutex loss_mutex_ = {};  // guards the call of what tells of a loss, which happens without mutex_
    std::function<void()> loss_ = {};

    std::mutex sink_mutex_ = {};  // guards calls of the sink, which happen without mutex_
    EventSink sink_ = {};
};

}  // namespace freshet::detail::nats
