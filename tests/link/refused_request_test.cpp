// SPDX-License-Identifier: Apache-2.0
// What the server refuses ends at once, and says which right is missing. The timeouts here are longer than the test may
// take.
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>

#include "../support/server.hpp"
#include "../support/sinks.hpp"
#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto for_ever = 10min;

testing::ServerOptions with_permissions(const std::string& permissions) {
    return {.config = "authorization { users: [ { user: bob, password: pw, permissions: { " + permissions + " } } ] }"};
}

BrokerOptions as_bob(const testing::NatsServer& server, EventSink events = {}) {
    return {.servers = {server.url()},
            .credentials = UserPassword{"bob", "pw"},
            .reconnect = {.min_wait = 1ms},
            .request_timeout = for_ever,
            .on_event = std::move(events)};
}

}  // namespace

TEST_CASE("a request that the server does not let through fails at once and names the subject") {
    testing::NatsServer server{with_permissions(R"(publish: { deny: "secret" })")};
    Broker broker{as_bob(server)};
    broker.start();
    const auto refused = broker.try_request<std::string>("secret", "x");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::unauthorized);
    CHECK_THAT(refused.error().what(), ContainsSubstring("publish to \"secret\""));

    auto pending = broker.client<std::string(const std::string&)>("secret").async("x");
    CHECK_THROWS_AS(pending.get(), Error);

    auto many = broker.request_many<std::string>("secret", "x", {.timeout = for_ever});
    const auto first = many.next();
    REQUIRE((first && !*first));
    CHECK(first->error().code() == Errc::unauthorized);

    // Another subject is not concerned.
    broker.subscriber<"open">().handle([](const std::string&) { return std::string{"answer"}; });
    CHECK(broker.request<std::string>("open", "x") == "answer");
}

TEST_CASE("requests whose answers may not come fail at once, until the right is given") {
    testing::NatsServer server{with_permissions(R"(subscribe: { deny: "_INBOX.>" })")};
    testing::EventLog events;
    Broker broker{as_bob(server, events.sink())};
    broker.start();
    for (int i = 0; i < 3; ++i) {
        const auto refused = broker.try_request<std::string>("anything", "x");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == Errc::unauthorized);
        CHECK_THAT(refused.error().what(),
                   ContainsSubstring("\"_INBOX.>\"") && ContainsSubstring("BrokerOptions::inbox_prefix"));
    }
    server.restart(with_permissions(""));
    REQUIRE(events.wait_for(ConnectionEvent::Kind::reconnected));
    const auto asked = broker.try_request<std::string>("nobody", "x");
    REQUIRE_FALSE(asked);
    CHECK(asked.error().code() == Errc::no_responders);
}

// The right to answer is kept with the connection that was asked.
TEST_CASE("a service whose user may only answer does so, with values, errors and large bodies") {
    testing::NatsServer server{
        {.config = "authorization { users: [ { user: bob, password: pw, permissions: { subscribe: \"ask.>\", "
                   "allow_responses: true } }, { user: caller, password: pw } ] }"}};
    testing::EventLog events;
    Broker service{as_bob(server, events.sink())};
    service.subscriber<"ask.sum">().handle([](const Add& add) { return Sum{add.a + add.b}; });
    service.subscriber<"ask.large">().handle([](const std::string& text) { return text; });
    service.subscriber<"ask.wrong">().handle([](const Add&) -> Sum { throw std::runtime_error{"no"}; });
    service.subscriber<"ask.workers">({.workers = 4}).handle([](const Add& add) { return Sum{add.a}; });
    service.start();
    Broker caller{{.servers = {server.url()}, .credentials = UserPassword{"caller", "pw"}, .request_timeout = 20s}};
    caller.start();
    CHECK(caller.request<Sum>("ask.sum", Add{1, 2}).value == 3);
    const std::string large(600'000, 'x');
    CHECK(caller.request<std::string>("ask.large", large) == large);
    CHECK(caller.try_request<Sum>("ask.wrong", Add{1, 2}).error().code() == Errc::remote);
    const auto add = caller.client<Sum(const Add&)>("ask.workers");
    std::vector<std::future<Sum>> answers;
    for (int i = 0; i < 200; ++i) answers.push_back(add.async(Add{i, 0}));
    for (int i = 0; i < 200; ++i) CHECK(answers[static_cast<std::size_t>(i)].get().value == i);
    CHECK(events.count(ConnectionEvent::Kind::error) == 0);
}
