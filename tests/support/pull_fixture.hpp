// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "jetstream.hpp"
#include "log_lines.hpp"
#include "wait.hpp"

namespace freshet::testing {

inline const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

/// A server, the broker whose subscribers are tested, and another to publish and to look.
struct PullFixture {
    PullFixture() {
        other.start();
        other.jetstream().declare(orders);
    }

    void publish(const std::string& body, std::string_view subject = "orders.eu") {
        other.jetstream().publish(subject, body);
    }
    void publish(int count) {
        for (int i = 1; i <= count; ++i) publish(std::to_string(i));
    }
    js::Consumer consumer(const std::string& name = "worker") { return other.jetstream().consumer("ORDERS", name); }
    /// Nothing of the stream is left to be done.
    bool all_settled(const std::string& name = "worker") {
        return eventually([&] {
            const auto info = consumer(name).info();
            return info.ack_pending + info.pending == 0;
        });
    }

    NatsServer server{{.jetstream = true}};
    LogLines log;
    Broker other{{.servers = {server.url()}, .name = "other"}};
    Broker broker{{.servers = {server.url()}, .name = "tested", .logger = log.logger()}};
};

inline std::string text(const Message& message) { return std::string{message.text()}; }
inline std::string deliveries(const Message& message) { return std::to_string(message.metadata()->deliveries); }

}  // namespace freshet::testing
