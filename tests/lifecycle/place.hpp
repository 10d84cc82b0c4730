// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <freshet/freshet.hpp>
#include <freshet/testing/memory_server.hpp>
#include <freshet/testing/server.hpp>

#include "lifecycle.hpp"

namespace freshet::testing {

/// The stop_timeout of every broker.
inline constexpr std::chrono::milliseconds stop_timeout{3'000};

/// Where brokers live: a server, kept from run to run.
class Place {
public:
    explicit Place(Ground ground);

    Ground ground() const noexcept { return ground_; }
    /// Begins a run. In memory with a new server, so that its clock begins anew.
    void begin();
    void end();

    /// Returns the options of a broker that connects to the server.
    BrokerOptions options() const;
    /// Makes a broker, not started.
    std::unique_ptr<Broker> make_broker(BrokerOptions options);
    /// Returns the time of the brokers' clock.
    TimePoint now() const;

    /// Takes the server away for `time` and gives it back. In memory only.
    void interrupt(std::chrono::milliseconds time);
    /// Starts the server anew. For a real one only; in the thread that made the place.
    void restart();
    /// Blocks until `done` returns true, or for the time that redeliveries may take. `wait` blocks for a while at most.
    void wait_for_redeliveries(const std::function<bool(std::chrono::milliseconds wait)>& done);

private:
    const Ground ground_;
    std::optional<Server> server_ = {};
    std::string url_ = "nats://127.0.0.1:4222";  // also while the server restarts: it keeps its port
    std::optional<MemoryServer> memory_ = {};
};

}  // namespace freshet::testing
