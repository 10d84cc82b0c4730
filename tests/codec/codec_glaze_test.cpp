// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/codec.hpp>
#include <freshet/glaze.hpp>

#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;
using Catch::Matchers::StartsWith;

// The same types twice: what glaze reads and what FRESHET_JSON reads must not differ.
namespace plain {

struct Line {
    std::string sku = {};
    int qty = 0;
    double price = 0;

    bool operator==(const Line&) const = default;
};

struct Order {
    std::string id = {};
    double amount = 0;
    std::vector<Line> lines = {};
    std::optional<std::string> note = {};
    std::map<std::string, int> counts = {};
    std::uint8_t small = 0;
    bool paid = false;

    bool operator==(const Order&) const = default;
};

struct Node {
    std::string name = {};
    std::vector<Node> children = {};

    bool operator==(const Node&) const = default;
};

}  // namespace plain

namespace fields {

struct Line : plain::Line {};
FRESHET_JSON(Line, sku, qty, price);

struct Order {
    std::string id = {};
    double amount = 0;
    std::vector<Line> lines = {};
    std::optional<std::string> note = {};
    std::map<std::string, int> counts = {};
    std::uint8_t small = 0;
    bool paid = false;
};
FRESHET_JSON(Order, id, amount, lines, note, counts, small, paid);

}  // namespace fields

struct Cents {
    long count = 0;
};

template <>
struct freshet::JsonAs<Cents> {
    static std::string encode(const Cents& cents) { return std::to_string(cents.count) + "c"; }
    static Expected<Cents> decode(const std::string& text) {
        if (!text.ends_with('c')) return failure(Errc::bad_payload, "money ends with c");
        return Cents{std::stol(text)};
    }
};

namespace plain {

// An aggregate of types with fields, names and conversions of freshet's.
struct Mixed {
    shop::Line line = {};
    shop::Status status = shop::Status::open;
    Cents price = {};
    shop::Account account = {};
    shop::Nothing nothing = {};
    std::variant<int, std::string> either = 0;
    std::unique_ptr<int> pointer = {};
};

}  // namespace plain

// What a glz::meta says of a type.
namespace told {

enum class Color { red, green };

struct Named {
    int first = 0;
    std::optional<Color> color = {};
};

/// Travels as one string, which only glaze knows.
struct Custom {
    int number = 0;
};

struct Body {
    Named named = {};
    Custom custom = {};
    char letter = 'a';
};

}  // namespace told

template <>
struct glz::meta<told::Color> {
    using enum told::Color;
    static constexpr auto value = glz::enumerate("rot", red, "gruen", green);
};
template <>
struct glz::meta<told::Named> {
    using T = told::Named;
    static constexpr auto value = glz::object("eins", &T::first, "farbe", &T::color);
};
template <>
struct glz::meta<told::Custom> {
    static constexpr auto read = [](told::Custom& custom, const std::string& in) { custom.number = std::stoi(in); };
    static constexpr auto write = [](const told::Custom& custom) { return std::to_string(custom.number); };
    static constexpr auto value = glz::custom<read, write>;
};

namespace {

constexpr std::string_view whole =
    R"({"id":"a1","amount":10,"lines":[{"sku":"x","qty":-3,"price":2.5}],"counts":{"a":1},"small":255,"paid":true})";

std::string with(std::string_view from, std::string_view to) {
    std::string body{whole};
    return body.replace(body.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("an aggregate needs no macro, in any format") {
    const plain::Order order{"a1", 10, {{"x", -3, 2.5}}, "soon", {{"a", 1}}, 255, true};
    for (const Format format : formats) {
        CAPTURE(content_type(format));
        CHECK(sent(order, format) == order);
        CHECK(sent(std::vector{order, order}, format).size() == 2);
        const plain::Node tree{"a", {{"b", {{"c", {}}}}}};
        CHECK(sent(tree, format) == tree);
    }
    CHECK(read<plain::Order>(whole)->lines.at(0) == plain::Line{"x", -3, 2.5});
}

TEST_CASE("glaze and FRESHET_JSON write the same") {
    plain::Order order{"é\"\\\n\x01/", 0.1, {{"x", -3, 2.5}}, {}, {{"a", 1}}, 255, true};
    fields::Order same{order.id, order.amount, {{order.lines[0]}}, {}, order.counts, order.small, order.paid};
    for (const Format format : formats) {
        CHECK(written(order, format) == written(same, format));
        order.note = same.note = "";
        CHECK(written(order, format) == written(same, format));
    }
}

TEST_CASE("glaze and FRESHET_JSON accept and refuse the same, with the same words") {
    const std::string bodies[] = {
        std::string{whole},
        "",
        " ",
        "[]",
        "3",
        "null",
        "{}",
        "{",
        std::string{whole} + " ",
        std::string{whole} + "x",
        std::string{whole} + '\0',
        std::string{whole} + '\0' + "x",
        std::string{whole}.substr(0, whole.size() / 2) + '\0',
        '\0' + std::string{whole},
        with("\"a1\"", std::string{"\"a\0b\"", 5}),
        with("true", std::string{"true\0", 5}),
        with("\"a1\"", "1"),
        with("\"a1\"", "null"),
        with("\"a1\"", "\"\xff\""),
        with("\"a1\"", "\"a\nb\""),
        with("\"a1\"", R"("\ud83d\ude00\u0000")"),
        with("\"a1\"", R"("\ud83d")"),
        with("\"a1\"", "[1,{\"x\":2}]"),
        with("10", "\"10\""),
        with("10", "-0"),
        with("10", "1e999"),
        with("10", "01"),
        with("10", ".5"),
        with("10", "nan"),
        with("-3", "\"-3\""),
        with("-3", "2147483647"),
        with("-3", "true"),
        with("-3", "{}"),
        with("\"qty\"", "\"more\""),
        with("\"sku\"", "\"more\""),
        with("[{", "{\"0\":{").replace(67, 1, "}"),
        with("\"a\":1", "\"a\":[]"),
        with("\"a\":1", R"("a":1,"a":2,"b]":{"c":3})"),
        with("255", "\"\""),
        with("true", "1"),
        with("true", "[]"),
        with("true", "\"true\""),
        with("true", "null"),
        with("true", "tru"),
        with("true", "true,\"paid\":false"),
        with("true", R"(true,"note":null)"),
        with("true", R"(true,"note":5)"),
        with("true", R"(true,"more":{"id":[1,{"id":null}]})"),
        with("true", R"(true,"more":{"id":[1,{"id":nul}]})"),
        with("true", R"(true,"more":)" + std::string(300, '[') + std::string(300, ']')),
    };
    for (const auto& body : bodies) {
        CAPTURE(body);
        const auto by_glaze = read<plain::Order>(body);
        const auto by_fields = read<fields::Order>(body);
        REQUIRE(by_glaze.has_value() == by_fields.has_value());
        if (!by_glaze) {
            CHECK(by_glaze.error().message() == by_fields.error().message());
            continue;
        }
        CHECK(by_glaze->id == by_fields->id);
        CHECK(by_glaze->lines.size() == by_fields->lines.size());
        CHECK(by_glaze->note == by_fields->note);
        CHECK(by_glaze->counts == by_fields->counts);
        CHECK(by_glaze->paid == by_fields->paid);
    }
}

TEST_CASE("what does not fit is told with its place") {
    CHECK(refusal<plain::Order>(with("255", "256")) == "small: 256 does not fit into an 8-bit unsigned integer");
    CHECK(refusal<plain::Order>(with("255", "-1")) == "small: -1 does not fit into an 8-bit unsigned integer");
    CHECK(refusal<plain::Order>(with("-3", "2147483648")) ==
          "lines[0].qty: 2147483648 does not fit into a 32-bit signed integer");
    CHECK(refusal<plain::Order>(with("-3", "2.5")) == "lines[0].qty: expected integer, got 2.5");
    CHECK(refusal<std::vector<plain::Line>>(R"([ {"sku":"","qty":1,"price":1}, {"sku":"]{\"","qty" : "1"}])") ==
          "[1].qty: expected number, got string");
}

TEST_CASE("bodies nest up to a limit in glaze too") {
    std::string tree;
    for (int i = 0; i < 1000; ++i) tree += R"({"name":"","children":[)";
    CHECK(refusal<plain::Node>(tree) == "the body nests deeper than 256 levels");
}

TEST_CASE("errors in MessagePack and CBOR have their place as well") {
    const auto body = written(std::map<std::string, std::vector<int>>{{"lines", {1}}}, Format::cbor);
    CHECK(refusal<plain::Order>(body, "application/cbor") == "lines[0]: expected object, got number");
    CHECK_THAT(refusal<plain::Order>("\xff", "application/cbor"), StartsWith("not valid CBOR at byte 1: "));
    CHECK(refusal<plain::Order>(body, "text/plain").starts_with("content-type \"text/plain\" is not JSON"));
}

TEST_CASE("glaze knows what FRESHET_JSON, FRESHET_ENUM and JsonAs say of a member") {
    const auto mixed = read<plain::Mixed>(
        R"({"line":{"sku":"a","unitPrice":2},"status":"in-progress","price":"12c","account":{"balance":3},"nothing":{},"either":"x"})");
    REQUIRE(mixed);
    CHECK(mixed->line == shop::Line{"a", 0, 2});
    CHECK(mixed->status == shop::Status::in_progress);
    CHECK(mixed->price.count == 12);
    CHECK(mixed->account.balance() == 3);
    CHECK(mixed->either == std::variant<int, std::string>{"x"});
    CHECK(
        written(*mixed) ==
        R"({"line":{"sku":"a","qty":0,"unitPrice":2},"status":"in-progress","price":"12c","account":{"balance":3},"nothing":{},"either":"x"})");

    CHECK(refusal<plain::Mixed>(R"({"line":{}})") == "line.sku: missing");
    CHECK(refusal<plain::Mixed>(R"({"status":"in_progress"})") ==
          R"(status: expected one of "open", "in-progress", "closed", got "in_progress")");
    CHECK(refusal<plain::Mixed>(R"({"price":"12"})") == "price: money ends with c");
}

TEST_CASE("what a glz::meta says counts, within the rules of every lane") {
    const auto body =
        read<told::Body>(R"({"named":{"\u0065ins":1.0,"farbe":"gr\u0075en"},"custom":"12","letter":"\u0062"})");
    REQUIRE(body);
    CHECK(body->named.first == 1);
    CHECK(body->named.color == told::Color::green);
    CHECK(body->custom.number == 12);
    CHECK(body->letter == 'b');
    const std::string text = R"({"named":{"eins":1,"farbe":"gruen"},"custom":"12","letter":"b"})";
    CHECK(written(*body) == text);
    for (const Format format : formats) CHECK(written(sent(*body, format)) == text);
    CHECK(refusal<told::Body>(R"({"named":{},"custom":"12","letter":"b"})") == "named.eins: missing");
    CHECK(refusal<told::Body>(R"({"named":{"eins":1},"custom":12,"letter":"b"})").starts_with("custom: "));
    CHECK(refusal<told::Body>(R"({"named":{"eins":1,"farbe":"blau"},"custom":"1","letter":"b"})")
              .starts_with("named.farbe"));
}

TEST_CASE("what is not UTF-8 is not written by glaze either") {
    const std::string why = "a string that is not UTF-8; send such bytes as std::vector<std::byte>";
    for (const Format format : formats) CHECK(write_refusal(plain::Line{.sku = "\xff"}, format) == "sku: " + why);
}

TEST_CASE("what is not finite is not written as JSON by glaze either") {
    CHECK(write_refusal(plain::Line{.price = std::numeric_limits<double>::infinity()}) ==
          "price: JSON has no inf; send MessagePack or CBOR, or leave out a std::optional");
}

TEST_CASE("text, fields and a user's codec come before glaze") {
    CHECK(written(std::string{"x"}) == "x");
    CHECK(written(shop::Line{.sku = "a"}) == R"({"sku":"a","qty":0,"unitPrice":0})");
    STATIC_CHECK_FALSE(Encodable<int*>);
    STATIC_CHECK_FALSE(Decodable<std::string*>);
}

TEST_CASE("damaged bodies are refused or read by glaze") {
    std::mt19937 random{5};
    for (const Format format : formats) {
        const auto body = written(*read<plain::Order>(whole), format);
        for (int round = 0; round < 2000; ++round) {
            std::string damaged = body;
            for (auto hits = 1 + random() % 4; hits > 0; --hits)
                damaged[random() % damaged.size()] = static_cast<char>(random());
            const auto value = read<plain::Order>(damaged, content_type(format));
            if (!value) CHECK_FALSE(value.error().message().empty());
            else CHECK(sent(*value, Format::json) == *value);
        }
    }
}
