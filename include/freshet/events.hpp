// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace freshet {

/// Something that happened to a broker's connection.
struct ConnectionEvent {
    enum class Kind : std::uint8_t {
        waiting,        ///< start() has reached no server yet, and tries on: once
        connected,      ///< start() reached a server
        disconnected,   ///< the server is gone; reconnecting, publications are buffered
        reconnected,    ///< a server is back, subscriptions are restored
        lame_duck,      ///< the server will shut down; the client moves to another
        slow_consumer,  ///< a subscriber could not keep up and messages were dropped
        error,          ///< an asynchronous error, such as a refused permission
        closed,         ///< closed for good; nothing follows
    };

    Kind kind = Kind::error;
    std::string detail = {};    ///< what the client library or the server said
    std::string subject = {};   ///< slow_consumer: the subscriber's, as declared; refused permissions: the one refused
    std::string url = {};       ///< connected, reconnected: the server, without credentials
    std::uint64_t dropped = 0;  ///< slow_consumer: messages that this subscription has dropped so far
};

/// "connected", "disconnected"...
const char* to_string(ConnectionEvent::Kind kind) noexcept;

/// What is told of events, one at a time: mostly on the client library's callback thread; `waiting`, `connected`, and a loss right after it, on
/// the one that calls start(); `slow_consumer` also on the thread that delivers to the subscriber. It must not block for long,
/// since other events and other brokers wait for it, and may call Broker::stop. What it throws is logged.
using EventSink = std::function<void(const ConnectionEvent&)>;

}  // namespace freshet
