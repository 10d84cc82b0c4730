// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace freshet {

/// An event of a broker's connection.
struct ConnectionEvent {
    enum class Kind : std::uint8_t {
        waiting,        ///< no server can be reached, and freshet tries on; told when a server's reason changes
        connected,      ///< start() reached a server
        disconnected,   ///< the server is gone; freshet reconnects and buffers publications
        reconnected,    ///< a server is back, and subscriptions are restored
        lame_duck,      ///< the server will shut down; the client moves to another
        slow_consumer,  ///< a subscriber could not keep up and messages were dropped
        error,          ///< an asynchronous error, such as a refused permission
        closed,         ///< closed for good; nothing follows
    };

    Kind kind = Kind::error;
    std::string detail = {};    ///< the text of the client library or the server
    std::string subject = {};   ///< slow_consumer: the subscriber's, as declared; a refused permission: the refused one
    std::string url = {};       ///< connected, reconnected: the server, without credentials; waiting: the one meant
    std::uint64_t dropped = 0;  ///< slow_consumer: messages that this subscription has dropped so far
};

/// Returns the name of the kind: "connected", "disconnected"...
const char* to_string(ConnectionEvent::Kind kind) noexcept;

/// A function that is told of connection events, one at a time. Most events come on the client library's callback
/// thread; `waiting`, `connected`, and a loss right after it, on the thread that calls start(); `slow_consumer` also on
/// the thread that delivers to the subscriber. The function must not block for long, since other events and other
/// brokers wait for it; it may call Broker::stop. An exception from it is logged.
using EventSink = std::function<void(const ConnectionEvent&)>;

}  // namespace freshet
