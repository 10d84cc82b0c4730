// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "nats/attempts.hpp"
#include "nats/callbacks.hpp"
#include "nats/connections.hpp"
#include "nats/credentials.hpp"
#include "nats/handle.hpp"

namespace freshet::detail::nats {

/// One natsConnection. Hands cnats's callbacks to the Connections, and remembers how attempts to connect fail.
class Connections::Connection final : public ConnectionListener, public std::enable_shared_from_this<Connection> {
public:
    static std::shared_ptr<Connection> make(std::weak_ptr<Connections> owner, Lane lane, const BrokerOptions& options);

    Connection(std::weak_ptr<Connections> owner, Lane which, const BrokerOptions& options);
    ~Connection() override;

    /// Connects; blocks. Tries `first_server`, "host:port", before the others; it may be empty. Returns the attempts
    /// that failed if none succeeded. Throws Error(Errc::bad_setup) for options that cannot be used.
    std::vector<FailedAttempt> connect(const BrokerOptions& options, std::string_view first_server);
    /// Makes the next attempts wait for what a server says before it closes a new connection. cnats drops that if it
    /// comes together with the server's first line.
    void listen_first() noexcept { listens_first_ = true; }

    /// Return the URL of the server, without credentials, and its "host:port"; empty while there is none.
    std::string url() const;
    std::string address() const;
    /// Returns the URL of the server that it talked to last.
    std::string last_url() const;
    /// Returns why cnats has closed the connection.
    std::string end() const;
    /// Returns why the server ended the connection the last time, and how often in a row it was lost soon after it was
    /// made; "" if nothing is known.
    std::string take_loss();
    /// Returns what the server has told of itself; without the URL.
    ServerInfo server() const;
    /// Returns whether cnats is connecting again. May wait for an attempt to connect, as each call of cnats.
    bool reconnecting() const noexcept { return natsConnection_Status(handle.get()) == NATS_CONN_STATUS_RECONNECTING; }
    /// Leaves the server that will shut down for another. Returns false if no other is known.
    bool move_on();

    void on_lost() noexcept override;
    void on_disconnected() noexcept override;
    void on_reconnected() noexcept override;
    void on_lame_duck() noexcept override;
    void on_closed() noexcept override;
    void on_error(natsSubscription* subscription, const Failure& failure) noexcept override;
    std::chrono::milliseconds reconnect_delay(int round) noexcept override;
    natsStatus connect_socket(natsSock& socket, const char* host, int port) noexcept override;
    CredentialSource& credentials() noexcept override { return credentials_; }

    const Lane lane;
    ConnectionHandle handle = {};
    // Guarded by Connections::mutex_.
    bool up = true;
    bool leaving = false;  // freshet closes the connection, so its end is no loss
    bool closed = false;

private:
    using TimePoint = std::chrono::steady_clock::time_point;

    template <class F>
    void tell(F function) noexcept {
        if (const auto owner = owner_.lock()) function(*owner);
    }
    std::optional<Failure> unfit(Connections& all);
    natsStatus dial(Connections& all, natsSock& socket, const char* host, int port);
    natsStatus hear(Connections& all, natsSock& socket);
    void succeed();

    std::weak_ptr<Connections> owner_;
    std::unique_ptr<Callbacks> callbacks_ = {};
    CredentialSource credentials_;
    Attempts attempts_ = {};
    mutable std::mutex server_mutex_ = {};
    ServerInfo server_ = {};          // guarded by server_mutex_
    std::string last_url_ = {};       // guarded by server_mutex_
    bool key_was_encrypted_ = false;  // when the connection was made first
    std::atomic<bool> listens_first_ = false;
    std::atomic<int> socket_ = -1;
    std::atomic<TimePoint> made_ = TimePoint{};
    std::atomic<int> early_losses_ = 0;
};

}  // namespace freshet::detail::nats
