// SPDX-License-Identifier: Apache-2.0
// A stream that has lost its end: after a power failure, or restored from a backup.
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../../support/jetstream.hpp"
#include "../../support/log_lines.hpp"
#include "../../support/seen.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using freshet::testing::eventually;
using freshet::testing::LogLines;
using freshet::testing::NatsServer;
using freshet::testing::Seen;

namespace {

struct Backup {
    Backup() { other.start(); }

    BrokerOptions options() const {
        return {.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}, .logger = log.logger()};
    }
    void publish(int from, int to) {
        for (int i = from; i <= to; ++i) {
            REQUIRE(eventually(
                [&] {
                    return other.jetstream().try_publish("orders." + std::to_string(i), std::to_string(i)).has_value();
                },
                60s));
        }
    }
    void keep() {
        server.stop();
        std::filesystem::copy(server.directory() / "store", server.directory() / "backup",
                              std::filesystem::copy_options::recursive);
        server.restart();
    }
    void restore() {
        server.kill();
        std::filesystem::remove_all(server.directory() / "store");
        std::filesystem::rename(server.directory() / "backup", server.directory() / "store");
    }
    static std::vector<std::string> numbers(std::initializer_list<std::pair<int, int>> ranges) {
        std::vector<std::string> texts;
        for (const auto& [from, to] : ranges)
            for (int i = from; i <= to; ++i) texts.push_back(std::to_string(i));
        return texts;
    }

    NatsServer server{{.jetstream = true}};
    LogLines log;
    Broker other{{.servers = {server.url()}, .reconnect = {.min_wait = 10ms, .max_wait = 100ms}}};
    Broker broker{options()};
    Seen seen;
};

const js::Stream orders{.name = "ORDERS", .subjects = {"orders.>"}};

}  // namespace

TEST_CASE_METHOD(Backup, "an ordered subscriber goes on with what a stream stores after it has lost its end") {
    other.jetstream().declare(orders);
    publish(1, 10);
    keep();
    broker.subscriber<"orders.*">(js::Ordered{.stream = "ORDERS", .heartbeat = 300ms})
        .handle([&](std::string_view body) { seen.add(std::string{body}); });
    broker.start();
    publish(11, 30);
    REQUIRE(seen.wait_for(30));
    restore();
    server.restart();
    REQUIRE_FALSE(log.wait_for("the stream has lost its end").empty());
    publish(101, 125);
    REQUIRE(seen.wait_for(55));
    CHECK(seen.all() == numbers({{1, 30}, {101, 125}}));
}

TEST_CASE_METHOD(Backup, "an ordered subscriber that comes back late gets what a stream has stored over its lost end") {
    other.jetstream().declare(orders);
    publish(1, 10);
    keep();
    Broker late{{.servers = {server.url()}, .reconnect = {.min_wait = 3s, .max_wait = 3s}}};
    late.subscriber<"orders.*">(js::Ordered{.stream = "ORDERS", .heartbeat = 300ms}).handle([&](std::string_view body) {
        seen.add(std::string{body});
    });
    late.start();
    publish(11, 30);
    REQUIRE(seen.wait_for(30));
    restore();
    server.restart();
    publish(101, 125);
    REQUIRE(seen.wait_for(55));
    CHECK(seen.all() == numbers({{1, 30}, {101, 125}}));
}

TEST_CASE_METHOD(Backup, "a watch goes on with what is put after the bucket has lost its end") {
    other.kv<std::string>("flags", {.history = 5}).put("a", "1");
    keep();
    broker.subscriber<">">(kv::Watch{.bucket = "flags"}).handle([&](const kv::Entry<std::string>& entry) {
        seen.add(entry.value);
    });
    broker.start();
    const auto put = [&](const std::string& value) {
        REQUIRE(eventually([&] { return other.kv<std::string>("flags").try_put("a", value).has_value(); }, 60s));
    };
    for (int i = 2; i <= 9; ++i) put(std::to_string(i));
    REQUIRE(seen.wait_for(9));
    restore();
    server.restart();
    REQUIRE_FALSE(log.wait_for("the stream has lost its end").empty());
    for (int i = 11; i <= 14; ++i) put(std::to_string(i));
    REQUIRE(seen.wait_for(13));
    CHECK(seen.all() == numbers({{1, 9}, {11, 14}}));
}
