// SPDX-License-Identifier: Apache-2.0
// A cluster whose leader is killed, with the options that a program has by default.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/wait.hpp"

using namespace freshet;
using namespace std::chrono_literals;

namespace {

/// Who leads a stream, when its replicas have what it has: those that are left can elect another one then.
std::string leader_of(const js::JetStream& js, const std::string& stream) {
    std::string leader;
    REQUIRE(testing::eventually(
        [&] {
            const auto info = js.stream(stream).try_info();
            if (!info || !info->cluster || info->cluster->replicas.size() != 2) return false;
            leader = info->cluster->leader;
            return !leader.empty() &&
                   std::ranges::all_of(info->cluster->replicas, [](const auto& one) { return one.current; });
        },
        60s));
    return leader;
}

}  // namespace

TEST_CASE("a leader is killed: what has an id is stored, in the order that it expects") {
    const testing::JetStreamCluster cluster;
    Broker broker{{.servers = cluster.urls()}};
    broker.start();
    const auto js = broker.jetstream();
    const js::Stream declared{.name = "ORDERS", .subjects = {"orders"}, .replicas = 3, .allow_direct = true};
    cluster.declare(js, declared);
    const auto leader = leader_of(js, "ORDERS");

    constexpr std::uint64_t count = 3'000;
    auto publisher = js.async_publisher({.max_pending = 256});
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i == count / 3) cluster.server(leader).kill();
        publisher.publish("orders", std::to_string(i), {.id = std::to_string(i), .expect_last_sequence = i});
    }
    const auto flushed = publisher.try_flush(90s);
    INFO((flushed ? "" : flushed.error().what()));
    REQUIRE(flushed);
    const auto stored = js.stream("ORDERS").info().state;
    CHECK(stored.messages == count);
    CHECK(stored.last_sequence == count);
    for (const std::uint64_t i : {std::uint64_t{0}, count / 3, count / 3 + 100, count - 1}) {
        Expected<js::StoredMessage> message = failure(Errc::timeout, "not read");
        CHECK(testing::eventually([&] { return (message = js.stream("ORDERS").try_message(i + 1)).has_value(); }));
        CHECK((message && message->text() == std::to_string(i)));
    }
}

TEST_CASE("a leader is killed: an object that is being put is whole") {
    const testing::JetStreamCluster cluster;
    Broker broker{{.servers = cluster.urls()}};
    broker.start();
    const auto js = broker.jetstream();
    testing::JetStreamCluster::declare(js, {.name = "READY", .subjects = {"ready"}, .replicas = 3});
    const auto files = broker.object_store("files", {.replicas = 3});
    const auto leader = leader_of(js, "OBJ_files");
    std::string bytes(20'000'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 1'000);
    std::size_t sent = 0;
    const auto put = files.try_put("a", [&](std::span<std::byte> chunk) {
        const auto size = std::min(chunk.size(), bytes.size() - sent);
        if (sent < bytes.size() / 2 && sent + size >= bytes.size() / 2) cluster.server(leader).kill();
        std::ranges::copy(as_bytes(std::string_view{bytes}.substr(sent, size)), chunk.begin());
        sent += size;
        return size;
    });
    INFO((put ? "" : put.error().what()));
    REQUIRE(put);
    // A replica that lags behind may answer that there is no such object yet.
    CHECK(testing::eventually([&] {
        const auto read = files.try_get("a");
        return read && *read == bytes;
    }));
    CHECK(js.stream("OBJ_files").info().state.messages == put->chunks + 1);
}

TEST_CASE("a leader is killed: values that are put without waiting arrive, in their order, and none fails") {
    const testing::JetStreamCluster cluster;
    Broker broker{{.servers = cluster.urls()}};
    broker.start();
    const auto js = broker.jetstream();
    testing::JetStreamCluster::declare(js, {.name = "READY", .subjects = {"ready"}, .replicas = 3});
    const auto flags = broker.kv<std::string>("flags", {.history = 64, .replicas = 3});
    flags.put("first", "1");
    const auto leader = leader_of(js, "KV_flags");

    constexpr int count = 2'000;
    constexpr int keys = 50;
    std::vector<Future<std::uint64_t>> puts;
    for (int i = 0; i < count; ++i) {
        if (i == count / 3) cluster.server(leader).kill();
        puts.push_back(flags.put_async("key." + std::to_string(i % keys), std::to_string(i)));
    }
    std::map<int, std::uint64_t> revisions;  // the last one of each key
    int failed = 0;
    for (int i = 0; i < count; ++i) {
        try {
            const auto revision = puts[static_cast<std::size_t>(i)].get();
            CHECK(revision > std::exchange(revisions[i % keys], revision));
        } catch (const Error& error) {
            if (++failed == 1) UNSCOPED_INFO(i << ": " << error.what());
        }
    }
    CHECK(failed == 0);
    for (int key = 0; key < keys; ++key) {
        const auto name = "key." + std::to_string(key);
        std::vector<std::string> values;
        CHECK(testing::eventually([&] {
            const auto history = flags.try_history(name);
            if (!history) return false;
            values.clear();
            for (const auto& entry : *history) values.push_back(entry.value);
            return values.size() >= count / keys;
        }));
        REQUIRE(values.size() == count / keys);  // none twice
        for (int i = 0; i < count / keys; ++i)
            CHECK(values[static_cast<std::size_t>(i)] == std::to_string(i * keys + key));
    }
    CHECK(js.stream("KV_flags").info().cluster.value().leader != leader);
}

TEST_CASE("a leader is killed: objects that several threads put are whole") {
    const testing::JetStreamCluster cluster;
    Broker broker{{.servers = cluster.urls()}};
    broker.start();
    const auto js = broker.jetstream();
    testing::JetStreamCluster::declare(js, {.name = "READY", .subjects = {"ready"}, .replicas = 3});
    const auto files = broker.object_store("files", {.replicas = 3});
    const auto leader = leader_of(js, "OBJ_files");
    constexpr int threads = 4;
    constexpr int rounds = 30;
    const auto content = [](int thread, int round) {
        return std::string(200'000, static_cast<char>('a' + thread)) + std::to_string(round);
    };
    std::atomic<int> put = 0;
    std::vector<std::string> failures(threads);
    {
        std::vector<std::jthread> workers;
        for (int thread = 0; thread < threads; ++thread) {
            workers.emplace_back([&, thread] {
                for (int round = 0; round < rounds; ++round) {
                    const auto done = files.try_put("file." + std::to_string(thread), content(thread, round));
                    if (!done) failures[static_cast<std::size_t>(thread)] = done.error().what();
                    ++put;
                }
            });
        }
        CHECK(testing::eventually([&] { return put >= threads * rounds / 3; }, 60s));
        cluster.server(leader).kill();
    }
    for (const auto& failure : failures) CHECK(failure == "");
    for (int thread = 0; thread < threads; ++thread) {
        CHECK(testing::eventually([&] {
            const auto read = files.try_get("file." + std::to_string(thread));
            return read && *read == content(thread, rounds - 1);
        }));
    }
}
