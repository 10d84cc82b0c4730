// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <freshet/testing/contract.hpp>
#include <freshet/testing/memory_server.hpp>
#include <freshet/testing/server.hpp>

namespace freshet::testing {

/// Rules are checked on a memory server, in its own time.
class MemoryEnvironment : public contract::Environment {
public:
    std::unique_ptr<Transport> connect(const BrokerOptions& options) override { return server_.connect(options); }
    bool eventually(const std::function<bool()>& condition) override {
        server_.clock().run_until(server_.clock().now() + std::chrono::minutes{1}, condition);
        return condition();
    }
    void pass(std::chrono::milliseconds time) override { server_.clock().advance(time); }
    bool interrupt() override {
        server_.interrupt();
        return true;
    }
    void resume() override { server_.resume(); }

private:
    MemoryServer server_ = MemoryServer{};
};

/// Rules are checked on a nats-server.
class NatsEnvironment final : public contract::Environment {
public:
    explicit NatsEnvironment(bool jetstream = false) : server_{ServerOptions{.jetstream = jetstream}} {}
    std::unique_ptr<Transport> connect(const BrokerOptions& given) override {
        auto options = given;
        options.servers = {server_.url()};
        return nats_transport(options);
    }
    bool interrupt() override {
        server_.stop();
        return true;
    }
    void resume() override { server_.restart(); }

private:
    Server server_;
};

}  // namespace freshet::testing
