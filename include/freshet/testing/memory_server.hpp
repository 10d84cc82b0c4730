// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <freshet/options.hpp>
#include <freshet/testing/memory_options.hpp>
#include <freshet/testing/virtual_clock.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {
class MemoryHub;
}

namespace freshet::testing {

/// A NATS server in memory, without network and threads: subjects with wildcards, queue groups, replies, "no
/// responders", headers, max_payload, limits, losses of the connection. Messages between its brokers arrive as tasks of
/// its clock, one at a time, in the order of publication. The members of a queue group take turns.
///
/// Thread-safe. Brokers connected to it may outlive it.
class MemoryServer {
public:
    explicit MemoryServer(MemoryServerOptions options = {});
    MemoryServer(const MemoryServer&) = delete;
    MemoryServer& operator=(const MemoryServer&) = delete;
    ~MemoryServer();

    /// Returns the clock of the server.
    VirtualClock& clock() const noexcept;
    /// Returns the clock of the server, for other servers that share it: MemoryServerOptions::clock.
    std::shared_ptr<VirtualClock> shared_clock() const noexcept;

    /// Returns a connection that is not open yet. Uses no_echo, reconnect and name of the options.
    std::unique_ptr<Transport> connect(const BrokerOptions& options = {});

    /// Cuts every connection and accepts no new one until resume().
    void interrupt();
    /// Accepts connections again.
    void resume();
    /// Returns whether the server accepts connections.
    bool running() const;
    /// Tells the clients that the server will shut down.
    void lame_duck();

    using Intercept = testing::Intercept;
    /// Calls `intercept` for each message on its way to each subscription, from now on. Empty: all messages arrive.
    void intercept(Intercept intercept);

private:
    std::shared_ptr<detail::MemoryHub> hub_;
};

}  // namespace freshet::testing
