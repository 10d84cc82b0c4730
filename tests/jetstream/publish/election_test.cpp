// SPDX-License-Identifier: Apache-2.0
// A cluster whose leader is killed, with the options that a program has by default.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>

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
