// SPDX-License-Identifier: Apache-2.0
// The JetStream API's client: answers, paged lists, errors.
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../../support/jetstream.hpp"
#include "jetstream/api/api.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using detail::Json;

TEST_CASE_METHOD(testing::JetStreamFixture, "an answer is JSON, an error has its code and says what was tried") {
    const auto api = started().api();
    const auto info = api->call("INFO", "ask for the account");
    REQUIRE(info);
    CHECK(info->contains("streams"));

    const auto missing = api->call("STREAM.INFO.NONE", "look up stream \"NONE\"");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code() == Errc::stream_not_found);
    CHECK(missing.error().code() == Condition::not_found);
    CHECK_THAT(std::string{missing.error().message()}, ContainsSubstring("look up stream \"NONE\""));

    const auto bad = api->call("STREAM.CREATE.X", "create", Json{{"name", "X"}, {"num_replicas", -1}});
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == Errc::remote);
    CHECK(bad.error().remote_code() == 10133);
}

TEST_CASE_METHOD(testing::JetStreamFixture, "lists are read page by page") {
    const auto api = started().api();
    constexpr int count = 300;  // a page of stream infos has 256
    for (int i = 0; i < count; ++i) {
        const auto name = "S" + std::to_string(i);
        REQUIRE(api->call("STREAM.CREATE." + name, "create",
                          Json{{"name", name}, {"subjects", {name}}, {"storage", "memory"}, {"num_replicas", 1}}));
    }
    std::vector<std::string> names;
    REQUIRE(api->list("STREAM.LIST", "list streams", "streams", {},
                      [&](Json& stream) { names.push_back(stream["config"]["name"]); }));
    CHECK(names.size() == count);
}

TEST_CASE_METHOD(testing::JetStreamFixture, "a context has a domain or a prefix") {
    CHECK_THROWS_AS(broker.jetstream({.domain = "a", .prefix = "b"}), Error);
    CHECK_THROWS_AS(broker.jetstream({.domain = "a b"}), Error);
    CHECK(broker.jetstream({.domain = "hub"}).api()->subject("INFO") == "$JS.hub.API.INFO");
    CHECK(broker.jetstream({.prefix = "js.from.ops."}).api()->subject("INFO") == "js.from.ops.INFO");
    CHECK(broker.jetstream().api()->call("INFO", "ask").error().code() == Errc::closed);
    broker.start();
    const auto nobody = broker.jetstream({.domain = "nowhere"}).api()->call("INFO", "ask");
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == Errc::no_jetstream);
    CHECK_THAT(std::string{nobody.error().message()}, ContainsSubstring("$JS.nowhere.API.INFO"));
}

TEST_CASE("a server without JetStream is a clear error") {
    const testing::NatsServer server;
    Broker broker{{.servers = {server.url()}}};
    broker.start();
    const auto info = broker.jetstream().api()->call("INFO", "ask for the account");
    REQUIRE_FALSE(info);
    CHECK(info.error().code() == Errc::no_jetstream);
    CHECK_THAT(std::string{info.error().message()}, ContainsSubstring("enable JetStream"));
}

TEST_CASE_METHOD(testing::JetStreamFixture, "a feature's server version is asked for once") {
    const auto api = started().api();
    CHECK(api->needs("2.11", "per-message TTL"));
    CHECK(api->needs("2.12", "counters"));
}
