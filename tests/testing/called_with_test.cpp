// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using freshet::testing::called_with;
using freshet::testing::TestBroker;

namespace {

struct Line {
    std::string article = {};
    int quantity = 1;
};
FRESHET_JSON(Line, article, quantity);
struct Basket {
    std::string id = {};
    std::optional<std::string> note = {};
    std::vector<Line> lines = {};
};
FRESHET_JSON(Basket, id, note, lines);

template <class T>
std::string printed(const T& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

struct Fixture {
    Broker broker;
    TestBroker tested{wired(broker)};
    const std::string who = "baskets.{region}.{id}";

    static Broker& wired(Broker& broker) {
        broker.subscriber<"baskets.{region}.{id}">().handle([](const Basket&, Path<"id", int>) {});
        broker.subscriber<"notes">().handle([](std::string_view) {});
        return broker;
    }
    /// What a failed comparison prints of the expectation.
    std::string difference(const testing::CalledWith& expected) {
        REQUIRE_FALSE(tested.deliveries(who) == expected);
        return printed(expected);
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "called_with: a call with this body, these headers and this path") {
    const Basket basket{"a1", {}, {{"nail", 100}}};
    tested.publish("baskets.eu.7", basket, {.headers = {{"tenant", "acme"}, {"trace", "x"}}});
    tested.publish("baskets.us.8", Basket{"a2"}, {.format = Format::messagepack});
    CHECK(tested.deliveries(who) == called_with(basket));
    CHECK(tested.deliveries(who) ==
          called_with(basket, {.headers = {{"tenant", "acme"}}, .path = {{"region", "eu"}, {"id", "7"}}}));
    CHECK(tested.deliveries(who) == called_with(Basket{"a2"}, {.path = {{"id", "8"}}}));
    CHECK(tested.publish("baskets.eu.9", basket) == called_with(basket));
    CHECK_FALSE(tested.deliveries(who) == called_with(Basket{"a3"}));
    CHECK_FALSE(tested.deliveries(who) == called_with(basket, {.path = {{"region", "us"}}}));
    CHECK(printed(called_with(Basket{"a3"})) == R"(called with {"id":"a3","lines":[]})");  // before a comparison
}

TEST_CASE_METHOD(Fixture, "called_with prints each field that differs") {
    tested.publish("baskets.eu.7", Basket{"a1", "fragile", {{"nail", 100}, {"bolt", 2}}},
                   {.headers = {{"tenant", "acme"}}});
    const Basket expected{"a2", {}, {{"nail", 99}, {"bolt", 2}, {"nut", 1}}};
    const auto text = difference(called_with(expected, {.headers = {{"tenant", "evil"}, {"trace", "x"}},
                                                        .path = {{"region", "us"}, {"shop", "1"}}}));
    CHECK(text == R"(called with {"id":"a2","lines":[{"article":"nail","quantity":99},{"article":"bolt","quantity":2},)"
                  R"({"article":"nut","quantity":1}]} [tenant: evil, trace: x] {region}=us {shop}=1
    the one call differs, on baskets.eu.7:
        body.id: "a1", expected "a2"
        body.lines[0].quantity: 100, expected 99
        body.lines[2]: missing, expected {"article":"nut","quantity":1}
        body.note: "fragile", not expected
        header tenant: "acme", expected "evil"
        header trace: missing, expected "x"
        path region: "eu", expected "us"
        path shop: the subject "baskets.{region}.{id}" has no {shop})");
}

TEST_CASE_METHOD(Fixture, "of several calls, called_with prints the one that comes closest") {
    tested.publish("baskets.eu.1", Basket{"a1", "fragile"});
    tested.publish("baskets.eu.2", Basket{"a2"});
    tested.publish("baskets.eu.3", Basket{"a3", "heavy"});
    CHECK(difference(called_with(Basket{"a9"})) == R"(called with {"id":"a9","lines":[]}
    call 2 of 3 comes closest, on baskets.eu.2:
        body.id: "a2", expected "a9")");
}

TEST_CASE_METHOD(Fixture, "a message that was rejected is no call") {
    CHECK(difference(called_with(Basket{"a1"})) == R"(called with {"id":"a1","lines":[]}
    it was not called)");
    tested.publish("baskets.eu.seven", Basket{"a1"});  // no int
    tested.publish("baskets.eu.7", "no basket");
    CHECK(difference(called_with(Basket{"a1"})) == R"(called with {"id":"a1","lines":[]}
    it was not called: every message was rejected before)");
}

TEST_CASE_METHOD(Fixture, "called_with compares text as it is, and says that a body is of another type") {
    CHECK(tested.publish("notes", "1.0") == called_with("1.0"));
    const auto other = called_with(std::string{"1"});
    CHECK_FALSE(tested.deliveries("notes") == other);
    CHECK(printed(other) == R"(called with 1
    the one call differs, on notes:
        body: "1.0", expected "1")");
    const auto basket = called_with(Basket{"a1"});
    CHECK_FALSE(tested.deliveries("notes") == basket);
    CHECK(printed(basket) == R"(called with {"id":"a1","lines":[]}
    the one call differs, on notes:
        body: 1.0 is not of the expected type: expected object, got number)");
}
