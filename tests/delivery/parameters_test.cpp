// SPDX-License-Identifier: Apache-2.0
// Fields of the body and defaults as parameters, headers of publish_to, codecs of one subscriber and one publisher.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "../support/types.hpp"

using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using freshet::testing::TestBroker;

namespace {

enum class Color { red, green };
FRESHET_ENUM(Color, red, green);

/// Orders as `id;amount`, and sums as `=value`.
struct Csv {
    static constexpr std::string_view content_type = "text/csv";

    static void encode(const Order& order, Buffer& out) {
        out.append(order.id + ";" + std::to_string(int(order.amount)));
    }
    static void encode(const Sum& sum, Buffer& out) { out.append("=" + std::to_string(sum.value)); }
    static Expected<void> decode(Bytes in, Order& out) {
        const auto text = as_text(in);
        const auto semicolon = text.find(';');
        const auto amount = FromText<double>::parse(text.substr(semicolon + 1));
        if (semicolon == std::string_view::npos || !amount) return failure(Errc::bad_payload, "not a line of CSV");
        out = {std::string{text.substr(0, semicolon)}, *amount};
        return {};
    }
};

/// Only reads.
struct Shout {
    static Expected<void> decode(Bytes in, std::string& out) {
        out = std::string{as_text(in)} + "!";
        return {};
    }
};

std::string greet(Field<"to"> to) { return "to " + *to; }

std::string error_of(TestBroker& test, std::string_view subject, const std::string& body,
                     const RequestOptions& options = {}) {
    const auto answer = test.try_request<std::string>(subject, body, options);
    return answer ? "answered " + *answer : std::string{answer.error().what()};
}

}  // namespace

template <>
struct freshet::FromText<Color> {
    static std::optional<Color> parse(std::string_view text) {
        return text == "red" ? std::optional{Color::red} : text == "green" ? std::optional{Color::green} : std::nullopt;
    }
};

TEST_CASE("several fields of the body are parameters, in any order and of any type that a field may have") {
    Broker broker;
    broker.subscriber<"users.{id}">().handle([](Field<"tags", std::vector<std::string>> tags, Path<"id", int> id,
                                                Field<"name"> name, const Field<"order", Order>& order,
                                                Field<"note", std::optional<std::string>> note,
                                                Field<"color", Color, Color::green> color, Field<"pages", int, 3> pages,
                                                Field<"unit", std::string, "mm"> unit) {
        return *name + " " + std::to_string(*id) + " " + std::to_string(tags->size()) + " " + order->id + " " +
               note->value_or("-") + " " + (color == Color::green ? "green" : "red") + " " + std::to_string(pages + 1) +
               " " + *unit;
    });
    TestBroker test{broker};
    CHECK(test.request<std::string>(
              "users.7", std::string{R"({"name":"ann","tags":["a","b"],"order":{"id":"o1","amount":1},"other":[]})"}) ==
          "ann 7 2 o1 - green 4 mm");
    CHECK(test.request<std::string>("users.7", std::string{R"({"order":{"id":"o1","amount":1},"tags":[],"name":"bob",
                                                "note":"n","color":"red","pages":9,"unit":"cm"})"}) ==
          "bob 7 0 o1 n red 10 cm");
}

TEST_CASE("a field that is missing or does not fit rejects the message, by the rules of FRESHET_JSON") {
    Broker broker;
    int called = 0;
    broker.subscriber<"pay">().handle([&](Field<"amount", int> amount, Field<"to"> to) {
        ++called;
        return *to + std::to_string(*amount);
    });
    TestBroker test{broker};
    CHECK_THAT(error_of(test, "pay", R"({"to":"x"})"), ContainsSubstring("400: amount: missing"));
    CHECK_THAT(error_of(test, "pay", R"({"to":"x","amount":"1"})"),
               ContainsSubstring("400: amount: expected number, got string"));
    CHECK_THAT(error_of(test, "pay", "[]"), ContainsSubstring("400: expected object, got array"));
    CHECK_THAT(error_of(test, "pay", "{"), ContainsSubstring("400"));
    CHECK_THAT(error_of(test, "pay", R"({"to":"x","amount":1})", {.headers = {{"content-type", "text/csv"}}}),
               ContainsSubstring("content-type \"text/csv\" is not JSON"));
    CHECK(called == 0);
    CHECK(error_of(test, "pay", R"({"amount":1.0,"to":"x"})") == "answered x1");
}

struct Transfer {
    int amount = 0;
    std::string to = {};
};
FRESHET_JSON(Transfer, amount, to);

TEST_CASE("fields are read in every format, in dependencies and error handlers, too") {
    Broker broker;
    broker.subscriber<"pay">().handle([](Field<"amount", int> amount, Depends<&greet> greeting) {
        return *greeting + std::to_string(*amount);
    });
    broker.subscriber<"fail">()
        .on_error<std::runtime_error>([](const std::runtime_error&, Field<"to"> to) { return "sorry " + *to; })
        .handle([]() -> std::string { throw std::runtime_error{"no"}; });
    TestBroker test{broker};
    for (const auto format : {Format::json, Format::messagepack, Format::cbor})
        CHECK(test.request<std::string>("pay", Transfer{3, "ann"}, {.format = format}) == "to ann3");
    CHECK(test.request<std::string>("fail", Transfer{3, "ann"}) == "sorry ann");
}

TEST_CASE("a header that is absent has its default, and one that does not parse is refused") {
    Broker broker;
    broker.subscriber<"report">().handle(
        [](Header<"pages", int, 1> pages, Header<"tenant", std::string_view, "nobody"> tenant,
           Header<"color", Color, Color::red> color, Header<"scale", double, 1.5> scale) {
            return std::string{*tenant} + " " + std::to_string(*pages) + (color == Color::red ? " red " : " green ") +
                   (*scale == 1.5 ? "1.5" : "other");
        });
    TestBroker test{broker};
    CHECK(error_of(test, "report", "") == "answered nobody 1 red 1.5");
    CHECK(error_of(test, "report", "",
                   {.headers = {{"pages", "7"}, {"tenant", "acme"}, {"color", "green"}, {"scale", "2"}}}) ==
          "answered acme 7 green other");
    CHECK_THAT(error_of(test, "report", "", {.headers = {{"pages", "many"}}}),
               ContainsSubstring("the header \"pages\"") && ContainsSubstring("not a valid int"));
}

TEST_CASE("a token that the subject does not have has its default") {
    const auto handler = [](Path<"region", std::string_view, "home"> region, Path<"id", int, 0> id) {
        return std::string{*region} + " " + std::to_string(*id);
    };
    Broker broker;
    broker.subscriber<"orders.{region}.{id}">().handle(handler);
    broker.subscriber<"orders.{id}">().handle(handler);
    broker.subscriber("orders").handle(handler);
    TestBroker test{broker};
    CHECK(error_of(test, "orders.eu.7", "") == "answered eu 7");
    CHECK(error_of(test, "orders.7", "") == "answered home 7");
    CHECK(error_of(test, "orders", "") == "answered home 0");
    CHECK_THAT(error_of(test, "orders.x", ""), ContainsSubstring("the token \"x\" for {id}"));
}

TEST_CASE("paths, headers and fields are formatted as what they hold, with a default, too") {
    const auto handler = [](Path<"region", std::string_view, "home"> region, Path<"id", int> id,
                            Header<"pages", int, 1> pages, Header<"tenant", std::optional<std::string>> tenant,
                            Field<"to"> to, Field<"note", std::optional<std::string>> note, Field<"cc", int, 7> cc) {
        return fmt::format("{:>5} {:03} {} {} {} {} {}", region, id, pages, tenant, to, note, cc);
    };
    Broker broker;
    broker.subscriber<"letters.{id}">().handle(handler);
    broker.subscriber<"letters.{region}.{id}">().handle(handler);
    TestBroker test{broker};
    CHECK(error_of(test, "letters.7", R"({"to":"ann"})") == "answered  home 007 1 none ann none 7");
    CHECK(error_of(test, "letters.eu.8", R"({"to":"bob","note":"hi","cc":9})",
                   {.headers = {{"pages", "3"}, {"tenant", "acme"}}}) == "answered    eu 008 3 acme bob hi 9");
}

TEST_CASE("an object is provided as a value, by a smart pointer or by a pointer, and means the object") {
    struct ByValue {
        int value = 1;
    };
    struct Base {
        virtual ~Base() = default;
        virtual int value() const = 0;
    };
    struct Derived : Base {
        int value() const override { return 20; }
    };
    struct Outside {
        int value = 300;
    };
    Outside outside;
    Broker broker;
    broker.provide(ByValue{}).provide<Base>(std::make_unique<Derived>()).provide(&outside);
    broker.provide(std::make_shared<std::string>("4000"));
    broker.subscriber<"sum">().handle([](Inject<ByValue> one, Inject<Base> two, Inject<Outside> three,
                                         Inject<std::string> four) {
        return std::to_string(one->value + two->value() + three->value++ + std::stoi(*four));
    });
    TestBroker test{broker};
    CHECK(error_of(test, "sum", "") == "answered 4321");
    CHECK(outside.value == 301);
}

TEST_CASE("publish_to has headers of its own, which those of a Response replace, and the answer does not have them") {
    Broker broker;
    broker.subscriber<"plain">()
        .publish_to<"out.plain">({.headers = {{"source", "billing"}, {"version", "2"}}})
        .publish_to<"out.bare">()
        .handle([](const std::string& body) { return body; });
    broker.subscriber<"rich">()
        .publish_to<"out.rich">({.headers = {{"source", "billing"}, {"version", "2"}}})
        .handle([](const std::string& body) {
            return Response{body, {{"version", "3"}, {"version", "4"}, {"own", "yes"}}};
        });
    TestBroker test{broker};
    const auto answer = test.request<Message>("plain", std::string{"x"});
    CHECK_FALSE(answer.header("source").has_value());
    test.publish("rich", std::string{"x"});
    const auto of = [&](std::string_view subject) { return test.published(subject).at(0).headers; };
    CHECK(of("out.plain").get("source") == "billing");
    CHECK(of("out.plain").get("version") == "2");
    CHECK_FALSE(of("out.bare").contains("source"));
    CHECK(of("out.rich").get("source") == "billing");
    CHECK(of("out.rich").values("version") == std::vector<std::string_view>{"3", "4"});
    CHECK(of("out.rich").get("own") == "yes");
}

TEST_CASE("publish_to refuses an id that is the same for all results, and headers that cannot be sent") {
    Broker broker;
    broker.subscriber<"plain">()
        .publish_to<"out">({.headers = {{"Nats-Msg-Id", "1"}}})
        .handle([](const std::string& body) { return body; });
    CHECK_THROWS_WITH(broker.start(), ContainsSubstring("publish_to \"out\" has the header \"Nats-Msg-Id\""));
    CHECK_THROWS_AS((PublishToOptions{.headers = {{"a b", "1"}}}), Error);
}

TEST_CASE("a subscriber has a codec of its own, for what it takes and returns") {
    Broker broker;
    broker.subscriber<"csv.{id}">().codec<Csv>().publish_to<"sums">().handle(
        [](const Order& order, Path<"id", int> id) { return Sum{static_cast<int>(order.amount) + *id}; });
    broker.subscriber<"other.response">().codec<Csv>().handle([](Order order) {
        return Expected<std::optional<Response<Sum>>>{Response{Sum{static_cast<int>(order.amount)}, {{"k", "v"}}}};
    });
    broker.subscriber<"other.error">().codec<Csv>().handle([](const Order&) -> Expected<Sum> {
        return failure(Errc::not_found, "no such order");
    });
    broker.subscriber<"json.{id}">().handle([](const Order& order) { return Sum{static_cast<int>(order.amount)}; });
    broker.subscriber<"shout">().codec<Shout>().handle([](std::string text) { return Invoice{text, 1}; });
    TestBroker test{broker};
    const auto answer = test.request<Message>("csv.3", std::string{"a1;4"});
    CHECK(answer.text() == "=7");
    CHECK(answer.header("content-type") == "text/csv");
    CHECK(test.published("sums").at(0).body == "=7");
    CHECK(test.published("sums").at(0).headers.get("content-type") == "text/csv");
    const auto response = test.request<Message>("other.response", std::string{"a1;4"});
    CHECK(response.text() == "=4");
    CHECK(response.header("k") == "v");
    CHECK_THAT(error_of(test, "other.error", "a1;4"), ContainsSubstring("404: not found"));
    CHECK_THAT(error_of(test, "csv.3", "no line"), ContainsSubstring("400: not a line of CSV"));
    CHECK(test.request<Sum>("json.1", Order{"a1", 9}).value == 9);
    CHECK(test.request<Invoice>("shout", std::string{"hey"}).order_id == "hey!");
}

TEST_CASE("the codec of a subscriber is also that of its filters, its batches, and in a router") {
    std::vector<std::string> seen;
    Router<"r."> router;
    router.subscriber<"csv">().codec<Csv>().handle([&](const Order& order) { seen.push_back(order.id); });
    Broker broker;
    broker.include(router);
    broker.subscriber<"filtered">()
        .codec<Csv>()
        .when(has_header("first"), [&](const Order& order) { seen.push_back("first " + order.id); })
        .handle([&](const Order& order) { seen.push_back("rest " + order.id); });
    broker.subscriber<"batch">({.batch = {.size = 2}}).codec<Csv>().handle([&](std::span<const Order> orders) {
        for (const auto& order : orders) seen.push_back("batch " + order.id);
    });
    TestBroker test{broker};
    test.publish("r.csv", std::string{"a;1"});
    test.publish("filtered", std::string{"b;1"}, {.headers = {{"first", "1"}}});
    test.publish("filtered", std::string{"c;1"});
    test.client().publish("batch", std::string{"d;1"});
    test.client().publish("batch", std::string{"e;1"});
    test.run();
    CHECK(seen == std::vector<std::string>{"a", "first b", "rest c", "batch d", "batch e"});
}

TEST_CASE("InFormat reads and writes one format, whatever the message says") {
    Broker broker;
    broker.subscriber<"packed">().codec<InFormat<Format::messagepack>>().handle([](const Add& add) {
        return Sum{add.a + add.b};
    });
    TestBroker test{broker};
    Buffer packed;
    detail::encode_body(Add{1, 2}, Format::messagepack, packed);
    const auto answer = test.request<Message>("packed", packed.bytes());  // without a content type
    CHECK(answer.header("content-type") == "application/msgpack");
    CHECK(answer.decode<Sum>().value == 3);
}

TEST_CASE("a publisher has a codec of its own, and so has a single message") {
    Broker broker;
    TestBroker test{broker};
    broker.publisher<Order, "orders.{id}">({.headers = {{"k", "v"}}}).codec<Csv>().publish(Order{"a1", 4}, 7);
    broker.publisher<Order>("plain").publish(Order{"a1", 4});
    broker.publish("one", coded<Csv>(Sum{5}));
    test.run();
    const auto sent = test.published("orders.7").at(0);
    CHECK(sent.body == "a1;4");
    CHECK(sent.headers.get("content-type") == "text/csv");
    CHECK(sent.headers.get("k") == "v");
    CHECK(test.published("plain").at(0).body == R"({"id":"a1","amount":4})");
    CHECK(test.published("one").at(0).body == "=5");
}
