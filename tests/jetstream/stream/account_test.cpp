// SPDX-License-Identifier: Apache-2.0
// What servers tell of accounts and streams beside their settings.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include <freshet/jetstream.hpp>

#include "jetstream/stream/stream_config.hpp"

#include "../../support/jetstream.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using testing::JetStreamFixture;

TEST_CASE_METHOD(JetStreamFixture, "an account tells what it has and may have") {
    const auto js = started();
    js.declare({.name = "S", .subjects = {"s"}, .storage = js::Storage::memory, .max_bytes = 10'000});
    js.publish("s", "hello");
    const auto account = js.account();
    CHECK(account.usage.streams == 1);
    CHECK(account.usage.memory > 0);
    CHECK(account.usage.reserved_memory == 10'000);
    CHECK(account.limits.max_streams == -1);
    CHECK(account.api_level >= 1);
    CHECK(account.api_requests > 0);
    CHECK(account.tiers.empty());
    CHECK(account.domain.empty());
}

TEST_CASE("an account's limits are told") {
    testing::NatsServer server{{.config = R"(
accounts { A { jetstream: {max_mem: 1000000, max_streams: 3, max_consumers: 5}, users: [{user: a, password: p}] } }
)",
                                .jetstream = true}};
    Broker broker{{.servers = {server.url("a", "p")}}};
    broker.start();
    const auto limits = broker.jetstream().account().limits;
    CHECK(limits.max_memory == 1'000'000);
    CHECK(limits.max_streams == 3);
    CHECK(limits.max_consumers == 5);
}

TEST_CASE_METHOD(JetStreamFixture, "a stream tells where its sources are") {
    const auto js = started();
    js.declare({.name = "A",
                .storage = js::Storage::memory,
                .sources = {{.name = "FAR", .filter_subject = "far.>", .domain = "hub"}}});
    const auto sources = js.stream("A").info().sources;
    REQUIRE(sources.size() == 1);
    REQUIRE(sources.at(0).external);
    CHECK(sources.at(0).external->api_prefix == "$JS.hub.API");
    CHECK(sources.at(0).filter_subject == "far.>");
}

TEST_CASE("what a stream has lost, and where else its messages are, is read") {
    const auto info = detail::stream_info_from_json(
        detail::Json::parse(R"({"config":{"name":"S"},"state":{"messages":1,"lost":{"msgs":[2,3],"bytes":90}},
            "alternates":[{"name":"M","cluster":"near"},{"name":"S","cluster":"far","domain":"hub"}]})"));
    REQUIRE(info.state.lost);
    CHECK(info.state.lost->sequences == std::vector<std::uint64_t>{2, 3});
    CHECK(info.state.lost->bytes == 90);
    REQUIRE(info.alternates.size() == 2);
    CHECK(info.alternates.at(0).name == "M");
    CHECK(info.alternates.at(1).domain == "hub");
}

TEST_CASE_METHOD(JetStreamFixture, "a message that never expires outlives its stream's age") {
    const auto js = started();
    js.declare({.name = "S",
                .subjects = {"s"},
                .storage = js::Storage::memory,
                .max_age = 200ms,
                .duplicate_window = 100ms,
                .allow_msg_ttl = true});
    js.publish("s", "stays", {.ttl = js::never_expires});
    CHECK(js.stream("S").message(1).message().header("Nats-TTL") == "never");
    js.publish("s", "goes");
    CHECK(testing::eventually([&] { return !js.stream("S").try_message(2); }));
    CHECK(js.stream("S").message(1).text() == "stays");
}
