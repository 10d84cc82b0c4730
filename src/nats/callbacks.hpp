// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <nats/nats.h>

#include "nats/socket.hpp"
#include "nats/status.hpp"

namespace freshet::detail::nats {

/// What cnats tells about one connection. The first five come from cnats's callback thread, one at a time in the
/// process; the others from the thread that connects or reconnects.
class ConnectionListener {
public:
    ConnectionListener() = default;
    ConnectionListener(const ConnectionListener&) = delete;
    ConnectionListener& operator=(const ConnectionListener&) = delete;
    virtual ~ConnectionListener() = default;

    virtual void on_disconnected() noexcept = 0;
    virtual void on_reconnected() noexcept = 0;
    virtual void on_lame_duck() noexcept = 0;
    virtual void on_closed() noexcept = 0;
    /// `subscription` is null where none is concerned, and lives during the call.
    virtual void on_error(natsSubscription* subscription, const Failure& failure) noexcept = 0;

    /// How long to wait after the `round`th failed round (from 1) of all servers.
    virtual std::chrono::milliseconds reconnect_delay(int round) noexcept = 0;
    /// What the sockets it connects with wait for.
    virtual SocketLimits socket_limits() noexcept = 0;
    /// The nkey seed to sign with.
    virtual std::string seed() noexcept = 0;
};

/// Connects the callbacks of a natsOptions with a listener, by a number instead of a pointer: cnats calls back after
/// natsConnection_Destroy has returned, and then the number is simply not found. While a callback runs, the listener is
/// kept alive.
class Callbacks {
public:
    explicit Callbacks(std::weak_ptr<ConnectionListener> listener);
    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;
    ~Callbacks();

    /// Sets every callback but those below.
    void install(natsOptions* options) const;
    /// Connects with connect_socket and socket_limits(). False where this cnats cannot be told to.
    bool install_sockets(natsOptions* options) const;
    /// Signs what the server asks with seed().
    void install_signature(natsOptions* options, const std::string& public_key) const;

private:
    void* closure() const noexcept;

    std::uintptr_t key_;
};

}  // namespace freshet::detail::nats
