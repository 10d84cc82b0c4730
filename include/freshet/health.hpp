// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <freshet/error.hpp>

namespace freshet {

/// How a broker is, as Broker::health() found it, and why it is not well: what a readiness probe asks.
struct Health {
    enum class State : std::uint8_t {
        idle,          ///< not started
        starting,      ///< start() connects or subscribes
        running,       ///< connected, and every subscriber was started
        reconnecting,  ///< it runs, and the connection is lost; freshet tries to make it again
        stopping,      ///< no message is taken any more, and those that have arrived are handled
        stopped,       ///< for good
    };
    /// A server that cannot be reached.
    struct Unreachable {
        std::string server = {};  ///< "host:port", without credentials; empty: all of BrokerOptions::servers
        std::string reason = {};  ///< the last reason, which names the server
    };
    /// A subscriber that gets no messages, or a subject on which a service cannot be found.
    struct Lost {
        std::string subject = {};  ///< the subscriber's, as declared; of a service such as `$SRV.PING.calc`
        Error reason;
    };

    State state = State::idle;
    bool critical = true;  ///< BrokerOptions::critical; false: an App does without this broker
    /// Why the broker is not connected; empty while it is. After a stop: why it stopped by itself, else empty.
    std::string reason = {};
    std::vector<Unreachable> unreachable = {};  ///< servers that were tried since the connection was lost
    std::vector<Lost> lost = {};                ///< in the order of their declaration

    /// Returns true if the broker runs, is connected, and no subscriber is lost.
    bool well() const noexcept { return state == State::running && lost.empty(); }
    /// Returns everything that is wrong, each in one line for people; empty if well().
    std::vector<std::string> problems() const;
};

/// Returns the name of the state: "idle", "running"...
const char* to_string(Health::State state) noexcept;

}  // namespace freshet
