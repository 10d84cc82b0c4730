// SPDX-License-Identifier: Apache-2.0
// A transport of the user's own, written with public headers only: it records and forwards to the server in memory.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/broker.hpp>
#include <freshet/testing.hpp>
#include <freshet/testing/contract.hpp>

#include "../../docs/snippets/recording_transport.hpp"
#include "../contract/environments.hpp"

using freshet::Broker;
using freshet::BrokerOptions;
using freshet::testing::MemoryServer;

namespace {

std::unique_ptr<freshet::Transport> recording(MemoryServer& server, std::shared_ptr<Record> record,
                                              const BrokerOptions& options) {
    return std::make_unique<RecordingTransport>(server.connect(options), std::move(record));
}

class RecordingEnvironment final : public freshet::testing::MemoryEnvironment {
public:
    std::unique_ptr<freshet::Transport> connect(const BrokerOptions& options) override {
        return std::make_unique<RecordingTransport>(MemoryEnvironment::connect(options), std::make_shared<Record>());
    }
};

/// What making a broker with this factory throws; empty: nothing.
std::string fault_of(freshet::TransportFactory factory) {
    try {
        const Broker broker{{}, std::move(factory)};
    } catch (const std::exception& error) { return error.what(); }
    return {};
}

}  // namespace

TEST_CASE("a broker sends and receives over the transport that it was given") {
    MemoryServer server;
    const auto record = std::make_shared<Record>();
    Broker broker{{}, [&](const BrokerOptions& options) { return recording(server, record, options); }};
    broker.subscriber<"orders.{id}">().publish_to<"invoices.{id}">().handle([](std::string_view body) {
        return std::string{body};
    });
    Broker other{{}, [&](const BrokerOptions& options) { return server.connect(options); }};
    std::vector<std::string> heard;
    other.subscriber<"invoices.*">().handle([&](const freshet::Message& invoice) {
        heard.emplace_back(invoice.text());
    });
    broker.start();
    other.start();

    other.publish("orders.7", "ten apples");
    server.clock().run();

    CHECK(heard == std::vector<std::string>{"ten apples"});
    CHECK(record->subjects() == std::vector<std::string>{"invoices.7"});
    CHECK(broker.server().url == "memory://freshet");
}

TEST_CASE("a transport's factory gets the broker's options") {
    MemoryServer server;
    BrokerOptions given;
    const Broker broker{{.servers = {"nats://example.com:4222"}, .name = "billing"}, [&](const BrokerOptions& options) {
                            given = options;
                            return server.connect(options);
                        }};
    CHECK(given.servers == std::vector<std::string>{"nats://example.com:4222"});
    CHECK(given.name == "billing");
}

TEST_CASE("a factory that makes no transport is a mistake in the setup, and what it throws comes out") {
    CHECK(fault_of([](const BrokerOptions&) {
              return nullptr;
          }).contains("the transport factory is empty or returned nullptr"));
    CHECK(fault_of({}).contains("the transport factory is empty or returned nullptr"));
    CHECK(fault_of([](const BrokerOptions&) -> std::unique_ptr<freshet::Transport> {
              throw std::runtime_error{"no such device"};
          }) == "no such device");
}

TEST_CASE("a TestBroker puts the server in memory in the place of a broker's own transport") {
    MemoryServer unused;
    const auto record = std::make_shared<Record>();
    Broker broker{{}, [&](const BrokerOptions& options) { return recording(unused, record, options); }};
    broker.subscriber<"orders">().publish_to<"invoices">().handle([](std::string_view body) {
        return std::string{body};
    });
    freshet::testing::TestBroker test{broker};
    CHECK(test.publish("orders", "1") == freshet::Outcome::ack);
    CHECK(test.published("invoices").size() == 1);
    CHECK(record->subjects().empty());
}

TEST_CASE("a transport that records and forwards keeps the contract") {
    const auto make = [] { return std::make_unique<RecordingEnvironment>(); };
    CHECK(freshet::contract::broken(freshet::contract::check_all(make)) == "");
    CHECK(freshet::contract::broken(freshet::contract::check_jetstream(make)) == "");
}
