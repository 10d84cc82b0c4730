// SPDX-License-Identifier: Apache-2.0
// Whoever sends many messages cannot fill the log: a failure that comes again and again is summed up. In memory, where
// all of them come within the same second.
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

#include "../support/log_lines.hpp"
#include "../support/types.hpp"

using namespace freshet;
using namespace std::chrono_literals;
using freshet::testing::LogLines;
using freshet::testing::TestBroker;

namespace {

constexpr int many = 100;
constexpr int lines_a_second = 10;

struct Fixture {
    LogLines log = LogLines{};
    Broker broker{{.stop_timeout = 1h, .logger = log.logger()}};

    /// The lines with `text`, written one by one, and the failures that are only counted in sums with `text`.
    struct Told {
        int lines = 0;
        int summed = 0;
        friend bool operator==(const Told&, const Told&) = default;
    };
    Told told(std::string_view text) const {
        Told told;
        for (const auto& line : log.all()) {
            if (!line.contains(text)) continue;
            const auto sum = line.find(" more failures of the same kind within a second");
            if (sum == std::string::npos) ++told.lines;
            else told.summed += std::stoi(line.substr(line.rfind(' ', sum - 1) + 1));
        }
        return told;
    }

    void flood(TestBroker& test, std::string_view subject, std::string_view body = "x") const {
        for (int n = 0; n < many; ++n) test.client().publish(subject, body);
        test.run();
        test.advance(1s);
    }
};

struct Session {
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    void on_outcome(const Outcome&) const { throw std::runtime_error{"cannot roll back"}; }
};
Session open_session() { return {}; }

js::Pull pull(js::Retry retry = {}) {
    return {.stream = js::Stream{.name = "S", .subjects = {"s.>"}}, .durable = "d", .retry = std::move(retry)};
}

constexpr Fixture::Told summed_up{.lines = lines_a_second, .summed = many - lines_a_second};

}  // namespace

TEST_CASE_METHOD(Fixture, "failures of a handler are summed up, and of a dependency that is told of them") {
    broker.subscriber<"x">().handle([](std::string_view, Depends<&open_session>) {
        throw std::runtime_error{"no luck"};
    });
    TestBroker test{broker};
    flood(test, "x");
    CHECK(told("handler failed") == summed_up);
    CHECK(told("cannot roll back") == summed_up);
}

TEST_CASE_METHOD(Fixture, "failures of functions that get answers are summed up") {
    broker.subscriber<"echo">().handle([](std::string_view body) { return std::string{body}; });
    TestBroker test{broker};
    const auto echo = broker.client<std::string(std::string)>("echo");
    for (int n = 0; n < many; ++n)
        echo.async("x", [](const Expected<std::string>&) { throw std::runtime_error{"no use"}; });
    test.run();
    test.advance(1s);
    CHECK(told("no use") == summed_up);
}

TEST_CASE_METHOD(Fixture, "JetStream messages that are given up are summed up") {
    broker.subscriber<"s.x">(pull()).handle([](const Sum&) {});
    TestBroker test{broker};
    flood(test, "s.x", "no number");
    CHECK(told("is given up") == summed_up);
    CHECK(told("message rejected") == summed_up);
}

TEST_CASE_METHOD(Fixture, "dead letters are summed up, kept or not") {
    const std::string dead = GENERATE("kept", "lost");
    broker.subscriber<"s.x">(pull({.dead_letter = dead})).handle([](const Sum&) {});
    TestBroker test{broker};
    broker.jetstream().declare({.name = "DEAD", .subjects = {"kept"}});
    flood(test, "s.x", "no number");
    CHECK(told("is given up").lines <= 2 * lines_a_second);
    CHECK(told("was not kept, so the message stays").lines == (dead == "lost" ? 1 : 0));  // for all of them
}

TEST_CASE_METHOD(Fixture, "entries that a watch cannot read are summed up") {
    broker.subscriber<">">(obj::Watch{.bucket = "F"}).handle([](const obj::Info&) {});
    TestBroker test{broker};
    flood(test, "$O.F.M.x", "no description");
    CHECK(told("a message is left out") == summed_up);
}

TEST_CASE_METHOD(Fixture, "failures of an asynchronous publisher's functions are summed up") {
    TestBroker test{broker};
    broker.jetstream().declare({.name = "S", .subjects = {"s.>"}});
    auto publisher = broker.jetstream().async_publisher();
    for (int n = 0; n < many; ++n)
        publisher.publish("s.x", "x", {}, [](const Expected<js::PublishAck>&) { throw std::runtime_error{"no ink"}; });
    test.run();
    test.advance(1s);
    CHECK(told("no ink") == summed_up);
}

TEST_CASE_METHOD(Fixture, "failures of functions that get the answers of a bucket are summed up") {
    TestBroker test{broker};
    const auto bucket = broker.kv<int>("B");
    const std::string verb = GENERATE("get", "put");
    for (int n = 0; n < many; ++n) {
        if (verb == "get") bucket.get_async("a", [](const auto&) { throw std::runtime_error{"no key"}; });
        else bucket.put_async("a", n, [](const auto&) { throw std::runtime_error{"no key"}; });
    }
    test.run();
    test.advance(1s);
    CHECK(told("no key") == summed_up);
}

TEST_CASE_METHOD(Fixture, "what a bucket or an object store cannot read is summed up") {
    TestBroker test{broker};
    const auto numbers = broker.kv<int>("B");
    const auto texts = broker.kv<std::string>("B");
    const auto files = broker.object_store("F");
    for (int n = 0; n < many; ++n) {
        texts.put("a" + std::to_string(n), "no number");
        test.client().publish("$O.F.M." + std::to_string(n), "no description");
    }
    CHECK(numbers.entries().errors.size() == many);
    test.advance(1s);
    CHECK(told("a value is left out") == summed_up);
    CHECK(files.list().errors.size() == many);
    test.advance(1s);
    CHECK(told("list object store") == summed_up);
}
