// SPDX-License-Identifier: Apache-2.0
// A cluster that loses the leader of a stream while messages are published into it.
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "../../support/jetstream.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using testing::eventually;

namespace {

/// How often each body is in the stream, read when every replica that is left has it all.
std::map<std::string, int> bodies(const js::StreamHandle& stream) {
    std::vector<js::StoredMessage> messages;
    eventually([&] {
        auto read = stream.try_messages({.limit = 1'000'000});
        const auto info = stream.try_info();
        if (!read || !info || read->size() != info->state.messages) return false;
        messages = *std::move(read);
        return true;
    });
    std::map<std::string, int> counts;
    for (const auto& message : messages) ++counts[std::string{message.text()}];
    return counts;
}

}  // namespace

TEST_CASE(
    "a stream's leader is killed while publishing: what was acknowledged is there, what has an id is there once") {
    const testing::JetStreamCluster cluster;
    Broker broker{{.servers = cluster.urls()}};
    broker.start();
    const auto js = broker.jetstream();
    const js::Stream declared{.name = "ORDERS", .subjects = {"orders"}, .replicas = 3, .allow_direct = true};
    const auto leader = cluster.declare(js, declared).cluster.value().leader;
    REQUIRE_FALSE(leader.empty());

    constexpr int count = 12'000;
    std::vector<std::atomic<bool>> acknowledged(count);
    std::atomic<int> total = 0;
    auto publisher = js.async_publisher({.max_pending = 256});
    for (int i = 0; i < count; ++i) {
        if (i == count / 3) cluster.server(leader).kill();
        // Every other one has no id, and is not sent again after a timeout.
        js::PublishOptions options{.timeout = 1s, .retries = 300, .retry_wait = 100ms};
        if (i % 2 == 0) options.id = std::to_string(i);
        publisher.publish("orders", std::to_string(i), options, [&, i](const Expected<js::PublishAck>& ack) {
            if (!ack) return;
            acknowledged.at(static_cast<std::size_t>(i)) = true;
            ++total;
        });
    }
    publisher.flush(90s);
    INFO(total << " of " << count << " were acknowledged");
    CHECK(total > count / 2);

    const auto stream = js.stream("ORDERS");
    CHECK(stream.info().cluster.value().leader != leader);
    const auto stored = bodies(stream);
    int lost = 0;
    int doubled = 0;
    for (int i = 0; i < count; ++i) {
        const auto found = stored.find(std::to_string(i));
        const int copies = found == stored.end() ? 0 : found->second;
        if (copies == 0 && (i % 2 == 0 || acknowledged.at(static_cast<std::size_t>(i)))) ++lost;
        if (copies > 1) ++doubled;
    }
    CHECK(lost == 0);
    CHECK(doubled == 0);
}

TEST_CASE("a bucket's leader is killed while keys are written: what was written is there, and every watch sees it") {
    const testing::JetStreamCluster cluster;
    std::mutex mutex;
    std::map<std::string, int> seen;
    Broker broker{{.servers = cluster.urls()}};
    broker.subscriber<"lamps.{id}">(kv::Watch{.bucket = "flags"}).handle([&](const kv::Entry<int>& entry) {
        const std::lock_guard lock{mutex};
        seen[entry.key] = entry.value;
    });
    {
        // The bucket first: its watch declares it with one replica.
        Broker operators{{.servers = cluster.urls()}};
        operators.start();
        testing::JetStreamCluster::declare(operators.jetstream(),
                                           {.name = "READY", .subjects = {"ready"}, .replicas = 3});
        operators.kv<int>("flags", {.history = 2, .replicas = 3});
    }
    broker.start();
    const auto flags = broker.kv<int>("flags");
    const auto leader = broker.jetstream().stream("KV_flags").info().cluster.value().leader;

    constexpr int count = 300;
    std::map<std::string, int> written;
    for (int i = 0; i < count; ++i) {
        if (i == count / 3) cluster.server(leader).kill();
        const auto key = "lamps." + std::to_string(i % 50);
        REQUIRE(eventually([&] { return flags.try_put(key, i).has_value(); }, 60s));
        written[key] = i;
    }
    for (const auto& [key, value] : written) {
        INFO(key);
        Expected<std::optional<kv::Entry<int>>> entry = std::nullopt;
        REQUIRE(eventually([&] { return (entry = flags.try_get(key)).has_value(); }, 60s));
        REQUIRE(*entry);
        CHECK((*entry)->value == value);
        CHECK(flags.try_update(key, -1, (*entry)->revision - 1).error().code() == Condition::wrong_revision);
    }
    CHECK(eventually(
        [&] {
            const std::lock_guard lock{mutex};
            return seen == written;
        },
        60s));
    CHECK(broker.jetstream().stream("KV_flags").info().cluster.value().leader != leader);
    broker.stop();
}
