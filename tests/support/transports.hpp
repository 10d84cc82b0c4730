// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include <freshet/transport.hpp>

#include "nats/transport.hpp"
#include "server.hpp"

namespace freshet::testing {

/// An open transport to the server.
inline std::unique_ptr<Transport> connect(const NatsServer& server, BrokerOptions options = {}, EventSink events = {}) {
    options.servers = {server.url()};
    auto transport = nats_transport(options);
    value_or_raise(transport->open(std::chrono::seconds{20}, std::move(events)));
    return transport;
}

/// A subscription that the server knows of.
inline std::unique_ptr<TransportSubscription> subscribe(Transport& transport, const std::shared_ptr<MessageSink>& sink,
                                                        const SubscriptionSpec& spec) {
    auto subscription = value_or_raise(transport.subscribe(spec, sink));
    value_or_raise(transport.flush(std::chrono::seconds{20}));
    return subscription;
}

inline void publish(Transport& transport, std::string_view subject, std::string_view text) {
    value_or_raise(transport.publish({.subject = subject, .payload = as_bytes(text)}));
}

}  // namespace freshet::testing
