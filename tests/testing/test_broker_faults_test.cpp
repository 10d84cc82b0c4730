// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::RandomFaults;
using freshet::testing::TestBroker;
using Texts = std::vector<std::string>;

namespace {

class Database {
public:
    virtual ~Database() = default;
    virtual std::string name() const { return "real"; }
};
class FakeDatabase final : public Database {
public:
    std::string name() const override { return "fake"; }
};

/// Handles "in", says what came.
struct Listener {
    explicit Listener(Broker& broker) {
        broker.subscriber<"in">().handle([this](std::string_view body) { heard.emplace_back(body); });
    }
    Texts heard = {};
};

}  // namespace

TEST_CASE("an object that was provided is replaced") {
    Broker broker;
    broker.provide(std::make_shared<Database>()).provide(7);
    broker.subscriber<"name">().handle([](Inject<Database> database, Inject<int>) { return database->name(); });
    TestBroker test{broker};
    CHECK(test.request<std::string>("name", "") == "real");
    test.replace<Database>(std::make_shared<FakeDatabase>());
    CHECK(test.request<std::string>("name", "") == "fake");
    CHECK_THROWS_WITH(test.replace<std::vector<int>>(std::make_shared<std::vector<int>>()),
                      ContainsSubstring("of the type std::vector<int") && ContainsSubstring("call broker.provide"));
}

TEST_CASE("a dependency throws once, where it is taken") {
    Broker broker;
    broker.provide(std::make_shared<Database>());
    broker.subscriber<"other">().handle([](std::string_view) {});
    broker.subscriber<"name">().handle([](Inject<Database> database) { return database->name(); });
    TestBroker test{broker};
    test.fail_next<Database>();
    CHECK(test.publish("other", "") == Outcome::ack);
    const auto failed = test.publish("name", "");
    CHECK(failed == Outcome::nack());
    CHECK_THROWS_AS(failed.rethrow(), std::runtime_error);
    CHECK(test.publish("name", "") == Outcome::ack);
    test.fail_next<Database>(RemoteError{409, "locked"});
    CHECK(test.try_request<std::string>("name", "").error().remote_code() == 409);
    CHECK_THROWS_WITH(test.fail_next<Listener>(),
                      ContainsSubstring("no handler takes Inject<(anonymous namespace)::Listener>") &&
                          ContainsSubstring("they take: (anonymous namespace)::Database"));
}

TEST_CASE("what the test itself did, and what it told that did not happen, is part of what fails") {
    Broker broker;
    broker.provide(std::make_shared<Database>());
    broker.subscriber<"db">().handle([](Inject<Database>) {});
    const Listener listener{broker};
    TestBroker test{broker};
    test.lose_next("in");
    CHECK_THAT(test.publish("in", "lost").note(), ContainsSubstring("the test lost a message on \"in\""));
    test.delay_next(1500ms, "in");
    CHECK_THAT(test.publish("in", "late").note(), ContainsSubstring("the test delayed a message on \"in\" by 1.5 s"));
    test.duplicate_next("in");
    test.publish("in", "twice");
    CHECK_THAT(test.published("out").note(), ContainsSubstring("the test lost a message on \"in\"; the test delayed"));
    CHECK_THAT(test.deliveries("in").note(), ContainsSubstring("the test doubled a message on \"in\""));
    test.clear();
    CHECK(test.deliveries("in").note() == "");

    test.lose_next("nowhere");
    test.delay_next(2s, "nowhere");
    test.fail_next_publish("out");
    test.fail_next<Database>();
    CHECK(test.publish("in", "x").note() ==
          "lose_next(\"nowhere\") has not happened yet; delay_next(2 s, \"nowhere\") has not "
          "happened yet; fail_next<(anonymous namespace)::Database> has not happened yet; "
          "fail_next_publish(\"out\") has not happened yet");
}

TEST_CASE("deliveries to a subscriber that there is not are a mistake") {
    Broker broker;
    broker.subscriber<"orders.{id}">().handle([](std::string_view) {});
    const Listener listener{broker};
    TestBroker test{broker};
    CHECK(test.deliveries("orders.{id}").empty());
    CHECK_THROWS_WITH(
        test.deliveries("orders.1"),
        "deliveries: no subscriber was declared with \"orders.1\"; the broker's subscribers: in, orders.{id}");
}

TEST_CASE("the next publication fails, and the handler with it") {
    Broker broker;
    broker.subscriber<"in">().publish_to<"out">().handle([](std::string_view body) { return std::string{body}; });
    TestBroker test{broker};
    test.fail_next_publish("out");
    CHECK(test.publish("in", "1") == Outcome::nack());
    CHECK(test.publish("in", "2") == Outcome::ack);
    CHECK(test.published<std::string>("out").values() == Texts{"2"});
}

TEST_CASE("messages are doubled, delayed, reordered and lost") {
    Broker broker;
    const Listener listener{broker};
    TestBroker test{broker};
    test.duplicate_next("in");
    CHECK(test.publish("in", "twice").size() == 2);
    test.delay_next(1s, "in");
    CHECK(test.publish("in", "late").empty());
    CHECK(test.publish("in", "early") == Outcome::ack);
    test.lose_next();
    CHECK(test.publish("in", "lost").empty());
    test.advance(1s);
    CHECK(listener.heard == Texts{"twice", "twice", "early", "late"});
}

TEST_CASE("the connection is lost and comes back") {
    std::vector<ConnectionEvent::Kind> kinds;
    Broker broker{{.on_event = [&](const ConnectionEvent& event) { kinds.push_back(event.kind); }}};
    const Listener listener{broker};
    TestBroker test{broker};
    test.lose_connection();
    CHECK(test.publish("in", "kept").empty());
    CHECK(test.try_request<std::string>("in", "x", {.timeout = 1s}).error().code() == Condition::timeout);
    test.restore_connection();
    CHECK(listener.heard == Texts{"kept", "x"});
    using Kind = ConnectionEvent::Kind;
    CHECK(kinds == std::vector{Kind::connected, Kind::disconnected, Kind::reconnected});
}

TEST_CASE("a seed decides what goes wrong at random") {
    const auto play = [](std::uint64_t seed) {
        Broker broker;
        const Listener listener{broker};
        TestBroker test{broker};
        const RandomFaults faults{.seed = seed, .duplicate = 0.3, .delay = 0.3, .disconnect = 0.05};
        CHECK(test.random_faults(faults) == seed);
        for (int i = 0; i < 100; ++i) static_cast<void>(test.publish("in", std::to_string(i)));
        test.advance(1min);
        return listener.heard;
    };
    const auto first = play(7);
    CHECK(first == play(7));
    CHECK(first != play(8));
    CHECK(first.size() > 60);

    Broker broker;
    TestBroker test{broker};
    const auto seed = test.random_faults();
    CHECK_THAT(test.publish("nobody", "").note(), ContainsSubstring("random faults of seed " + std::to_string(seed)));
}
