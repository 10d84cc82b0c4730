// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <freshet/options.hpp>
#include <freshet/testing/virtual_clock.hpp>
#include <freshet/transport.hpp>

namespace freshet::detail {
class MemoryHub;
}

namespace freshet::testing {

/// What a MemoryServer is like.
struct MemoryServerOptions {
    std::size_t max_payload = std::size_t{1} << 20;  ///< bytes of a message, headers included
    std::shared_ptr<VirtualClock> clock = {};        ///< null: one of its own
    bool jetstream = true;  ///< streams and pull consumers behind `$JS.API`, see docs/testing.md
};

/// A message on its way to one subscription.
struct Passage {
    std::string_view subject = {};
    std::string_view subscription = {};  ///< the subscription's subject
    Bytes payload = {};
};

/// What becomes of a message on its way.
struct Fate {
    std::size_t copies = 1;               ///< 0: it is lost
    std::chrono::nanoseconds delay = {};  ///< after which it arrives; others may overtake it
};

/// A NATS server without network and threads: subjects with wildcards, queue groups, replies, "no responders", headers,
/// max_payload, limits, losses of the connection. What brokers publish to each other over it arrives as tasks of its clock,
/// one at a time, in the order of publication; a queue group's members take turns.
/// Threads: every function may be called from any thread. Brokers connected to it may outlive it.
class MemoryServer {
public:
    explicit MemoryServer(MemoryServerOptions options = {});
    MemoryServer(const MemoryServer&) = delete;
    MemoryServer& operator=(const MemoryServer&) = delete;
    ~MemoryServer();

    VirtualClock& clock() const noexcept;
    std::shared_ptr<VirtualClock> shared_clock() const noexcept;

    /// A connection that is not open yet. Of the options it takes no_echo, reconnect and name.
    std::unique_ptr<Transport> connect(const BrokerOptions& options = {});

    /// Every connection is lost, and no new one can be made, until resume().
    void interrupt();
    void resume();
    bool running() const;
    /// Tells the clients that it will shut down.
    void lame_duck();

    /// Called for each message on its way to each subscription, with no lock held that publishing takes; empty: all arrive.
    using Intercept = std::function<Fate(const Passage&)>;
    void intercept(Intercept intercept);

private:
    std::shared_ptr<detail::MemoryHub> hub_;
};

}  // namespace freshet::testing
