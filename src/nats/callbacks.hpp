// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <nats/nats.h>

#include "nats/credentials.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {

/// Receives cnats's callbacks of one connection. cnats calls the first five on its callback thread, one at a time in
/// the process, and the others on the thread that connects or reconnects.
class ConnectionListener {
public:
    ConnectionListener() = default;
    ConnectionListener(const ConnectionListener&) = delete;
    ConnectionListener& operator=(const ConnectionListener&) = delete;
    virtual ~ConnectionListener() = default;

    /// Called on a thread of cnats that begins, perhaps the one that connects again, if the connection may be lost.
    virtual void on_lost() noexcept = 0;
    virtual void on_disconnected() noexcept = 0;
    virtual void on_reconnected() noexcept = 0;
    virtual void on_lame_duck() noexcept = 0;
    virtual void on_closed() noexcept = 0;
    /// Reports an error. `subscription` is null if the error concerns none, and lives during the call.
    virtual void on_error(natsSubscription* subscription, const Failure& failure) noexcept = 0;

    /// Returns how long to wait after the `round`th failed round (from 1) of all servers.
    virtual std::chrono::milliseconds reconnect_delay(int round) noexcept = 0;
    /// Connects a socket to a server, which may block.
    virtual natsStatus connect_socket(natsSock& socket, const char* host, int port) noexcept = 0;
    /// Returns what is presented to the server.
    virtual CredentialSource& credentials() noexcept = 0;
};

/// Connects the callbacks of a natsOptions with a listener. Uses a number instead of a pointer, because cnats calls
/// back after natsConnection_Destroy has returned; the number is not found then. While a callback runs, the listener is
/// kept alive.
class Callbacks {
public:
    explicit Callbacks(std::weak_ptr<ConnectionListener> listener);
    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;
    ~Callbacks();

    /// Sets all callbacks except those below.
    void install(natsOptions* options) const;
    /// Makes cnats connect with connect_socket(). Returns false if this cnats does not support that.
    bool install_sockets(natsOptions* options) const;
    /// Makes cnats sign the challenge of the server with credentials().
    void install_signature(natsOptions* options, const std::string& public_key) const;
    /// Makes cnats present the JWT of credentials(), and sign with them.
    void install_jwt(natsOptions* options) const;
    /// Makes cnats present the token of credentials().
    void install_token(natsOptions* options) const;

private:
    void* closure() const noexcept;

    std::uintptr_t key_;
};

}  // namespace freshet::detail::nats
