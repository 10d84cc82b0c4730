// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/broker.hpp>
#include <freshet/jetstream.hpp>

#include "server.hpp"
#include "wait.hpp"

namespace freshet::testing {

/// A nats-server with JetStream and a broker connected to it, for TEST_CASE_METHOD. The broker is not started, so that
/// the test can declare subscribers.
struct JetStreamFixture {
    NatsServer server = NatsServer{{.jetstream = true}};
    Broker broker{{.servers = {server.url()}, .name = "test"}};

    js::JetStream started() {
        broker.start();
        return broker.jetstream();
    }
};

/// Three servers with JetStream that are one cluster.
class JetStreamCluster {
public:
    JetStreamCluster() {
        for (const auto* name : {"n1", "n2", "n3"}) {
            std::vector<std::string> routes;
            for (const auto& server : servers_) routes.push_back(server->cluster_url());
            servers_.push_back(std::make_unique<NatsServer>(ServerOptions{
                .jetstream = true, .name = name, .cluster = "test", .routes = std::move(routes)}));
        }
    }

    std::vector<std::string> urls() const {
        std::vector<std::string> urls;
        for (const auto& server : servers_) urls.push_back(server->url());
        return urls;
    }
    /// Of its name, n1 to n3.
    NatsServer& server(std::string_view name) const { return *servers_.at(static_cast<std::size_t>(name.at(1) - '1')); }

    /// Declares a stream; as long as the cluster has no leader yet, tries again.
    static js::StreamInfo declare(const js::JetStream& js, const js::Stream& stream) {
        Expected<js::StreamInfo> declared = failure(Errc::timeout, "not tried");
        eventually([&] { return (declared = js.try_declare(stream)).has_value(); }, std::chrono::seconds{60});
        return value_or_raise(std::move(declared));
    }

private:
    std::vector<std::unique_ptr<NatsServer>> servers_ = {};
};

}  // namespace freshet::testing
