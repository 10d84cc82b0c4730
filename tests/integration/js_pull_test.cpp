// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../support/jetstream.hpp"
#include "../support/log_lines.hpp"
#include "../support/wait.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::eventually;
using freshet::testing::JetStreamFixture;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;

namespace {

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

/// What handlers saw, from any thread.
class Seen {
public:
    void add(std::string text) {
        const std::lock_guard lock{mutex_};
        texts_.push_back(std::move(text));
    }
    std::vector<std::string> all() const {
        const std::lock_guard lock{mutex_};
        return texts_;
    }
    std::size_t count() const { return all().size(); }
    bool wait_for(std::size_t count) const {
        return eventually([&] { return this->count() >= count; });
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

/// A second broker, to publish and to look.
struct Other {
    explicit Other(const NatsServer& server) : broker{{.servers = {server.url()}}} { broker.start(); }
    Broker broker;
};

[[maybe_unused]] js::Retry quick(std::uint64_t attempts = 0, std::string dead_letter = {}) {
    return {.max_attempts = attempts, .backoff = {10ms}, .dead_letter = std::move(dead_letter)};
}

/// Messages of the consumer that are neither settled nor waiting.
std::uint64_t unsettled(Broker& broker, const std::string& name) {
    const auto info = broker.jetstream().consumer("ORDERS", name).info();
    return info.ack_pending + info.pending;
}

}  // namespace

TEST_CASE_METHOD(JetStreamFixture, "a pull subscriber gets what was stored before and what comes later") {
    Seen seen;
    broker.subscriber<"orders.{region}.created">(js::Pull{.stream = orders, .durable = "billing"})
        .handle([&](std::string_view body, Path<"region"> region) {
            seen.add(std::string{*region} + std::string{body});
        });
    Other other{server};
    other.broker.jetstream().declare(orders);
    other.broker.publish("orders.eu.created", "1");
    other.broker.publish("orders.us.created", "2");
    other.broker.publish("orders.us.deleted", "not for it");
    other.broker.ping();
    broker.start();
    REQUIRE(seen.wait_for(2));
    other.broker.publish("orders.eu.created", "3");
    REQUIRE(seen.wait_for(3));
    CHECK(seen.all() == std::vector<std::string>{"eu1", "us2", "eu3"});
    CHECK(eventually([&] { return unsettled(other.broker, "billing") == 0; }));
}
