// SPDX-License-Identifier: Apache-2.0
// What types are in JSON Schema: schema_of.
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <freshet/describe.hpp>
#include <freshet/freshet.hpp>
#include <freshet/nlohmann.hpp>

using nlohmann::json;

namespace shop {

enum class Status { open, in_progress };
FRESHET_ENUM(Status, open, (in_progress, "in-progress"));
enum class Level : std::uint8_t { low, high };

struct Line {
    std::string sku = {};
    int quantity = 1;
};
FRESHET_JSON(Line, (sku, about("the shop's own number"), example("a1")),
             (quantity, or_default, example(2), example(3)));

struct Order {
    std::string id = {};
    std::vector<Line> lines = {};
    std::optional<std::string> note = {};
    std::optional<Line> gift = {};
    Status status = Status::open;
    std::map<std::string, double> prices = {};
};
FRESHET_JSON((Order, about("What somebody wants")), (id, "orderId", example("o1")), lines, note,
             (gift, about("Comes for free")), status, (prices, or_default));

struct Node {
    std::vector<Node> children = {};
    std::unique_ptr<Node> parent = {};
};
FRESHET_JSON(Node, children, parent);

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
};
FRESHET_JSON(Deleted, id);
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, "type", (Created, "created"), Deleted);

class Secret {
    int pin_ = 0;
    friend FRESHET_JSON((Secret, about("Nobody's business")), (pin_, "pin"));
};

struct Money {
    long cents = 0;
};
struct Temperature {
    double kelvin = 0;
};
struct Point {
    int x = 0;
};
void to_json(json& out, const Point& point) { out = point.x; }
void from_json(const json& in, Point& point) { point.x = in; }
struct WithPoint {
    Point point = {};
};
FRESHET_JSON(WithPoint, point);
struct Tree {
    int value = 0;
};

}  // namespace shop

template <>
struct freshet::JsonAs<shop::Money> {
    static std::string encode(const shop::Money& money) { return std::to_string(money.cents); }
    static Expected<shop::Money> decode(const std::string& text) { return shop::Money{std::stol(text)}; }
};
template <>
struct freshet::Codec<shop::Temperature> {
    static void encode(const shop::Temperature&, Buffer&) {}
    static Expected<void> decode(Bytes, shop::Temperature&) { return {}; }
    static std::string schema() {
        return R"({"$schema":"x","type":"object","properties":{"k":{"$ref":"#/definitions/Kelvin"}},
                   "definitions":{"Kelvin":{"type":"number","minimum":0}}})";
    }
};
template <>
struct freshet::Codec<shop::Tree> {
    static void encode(const shop::Tree&, Buffer&) {}
    static std::string schema() { return "not JSON"; }
};

namespace {

template <class T>
json schema_of() {
    return json::parse(freshet::schema_of<T>());
}

json ref(const char* name) { return {{"$ref", std::string{"#/definitions/"} + name}}; }

}  // namespace

TEST_CASE("schemas of values are what the decoder takes") {
    CHECK(schema_of<bool>() == json{{"type", "boolean"}});
    CHECK(schema_of<std::int8_t>() == json{{"type", "integer"}, {"minimum", -128}, {"maximum", 127}});
    CHECK(schema_of<std::uint16_t>() == json{{"type", "integer"}, {"minimum", 0}, {"maximum", 65535}});
    CHECK(schema_of<std::int64_t>()["minimum"] == std::numeric_limits<std::int64_t>::min());
    CHECK(schema_of<std::uint64_t>()["maximum"] == std::numeric_limits<std::uint64_t>::max());
    CHECK(schema_of<float>() == json{{"type", "number"}});
    CHECK(schema_of<shop::Level>() == json{{"type", "integer"}, {"minimum", 0}, {"maximum", 255}});
    CHECK(schema_of<std::chrono::milliseconds>()["type"] == "string");
    CHECK(schema_of<std::chrono::milliseconds>().contains("pattern"));  // the format has no fractions of a second
    CHECK(schema_of<std::chrono::system_clock::time_point>() == json{{"type", "string"}, {"format", "date-time"}});
    CHECK(schema_of<std::optional<int>>()["type"] == json::array({"integer", "null"}));
    CHECK(schema_of<std::vector<bool>>() == json{{"type", "array"}, {"items", {{"type", "boolean"}}}});
    CHECK(schema_of<std::array<std::string, 2>>() ==
          json{{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 2}, {"maxItems", 2}});
    CHECK(schema_of<std::pair<std::string, bool>>() ==
          json{{"type", "array"},
               {"items", json::array({{{"type", "string"}}, {{"type", "boolean"}}})},
               {"minItems", 2},
               {"maxItems", 2}});
    CHECK(schema_of<std::tuple<>>() == json{{"type", "array"}, {"minItems", 0}, {"maxItems", 0}});
    CHECK(schema_of<std::map<std::string, bool>>() ==
          json{{"type", "object"}, {"additionalProperties", {{"type", "boolean"}}}});
    CHECK(schema_of<std::map<int, bool>>()["propertyNames"] == json{{"pattern", "^-?[0-9]+$"}});
    CHECK(schema_of<std::map<shop::Status, bool>>()["propertyNames"] ==
          json{{"enum", json::array({"open", "in-progress"})}});
    CHECK(schema_of<std::variant<std::monostate, bool>>() ==
          json{{"anyOf", json::array({{{"type", "null"}}, {{"type", "boolean"}}})}});
    CHECK(schema_of<shop::Money>() == json{{"type", "string"}});
}

TEST_CASE("a type with FRESHET_JSON has a name; what the decoder needs is required") {
    const auto schema = schema_of<shop::Order>();
    CHECK(schema["$ref"] == "#/definitions/shop.Order");
    const auto& order = schema["definitions"]["shop.Order"];
    CHECK(order["description"] == "What somebody wants");
    CHECK(order["required"] == json::array({"orderId", "lines", "status"}));
    CHECK_FALSE(order.contains("additionalProperties"));
    const auto& fields = order["properties"];
    CHECK(fields["orderId"] == json{{"type", "string"}, {"examples", json::array({"o1"})}});
    CHECK(fields["lines"]["items"] == ref("shop.Line"));
    CHECK(fields["note"]["type"] == json::array({"string", "null"}));
    CHECK(fields["gift"] ==
          json{{"anyOf", json::array({ref("shop.Line"), {{"type", "null"}}})}, {"description", "Comes for free"}});
    CHECK(fields["status"] == ref("shop.Status"));
    const auto& line = schema["definitions"]["shop.Line"];
    CHECK(line["properties"]["sku"]["description"] == "the shop's own number");
    CHECK(line["properties"]["quantity"]["examples"] == json::array({2, 3}));
    CHECK(line["required"] == json::array({"sku"}));
    CHECK(schema["definitions"]["shop.Status"] ==
          json{{"type", "string"}, {"enum", json::array({"open", "in-progress"})}});
}

TEST_CASE("a type that holds itself, and one with private members, have schemas") {
    const auto node = schema_of<shop::Node>()["definitions"]["shop.Node"];
    CHECK(node["properties"]["children"]["items"] == ref("shop.Node"));
    CHECK(node["properties"]["parent"]["anyOf"][0] == ref("shop.Node"));
    CHECK(node["required"] == json::array({"children"}));
    const auto secret = schema_of<shop::Secret>()["definitions"]["shop.Secret"];
    CHECK(secret["description"] == "Nobody's business");
    CHECK(secret["properties"].contains("pin"));
}

TEST_CASE("a variant with names says which object has which name") {
    const auto schema = schema_of<shop::Event>();
    REQUIRE(schema["oneOf"].size() == 2);
    CHECK(schema["oneOf"][0]["allOf"][0] == ref("shop.Created"));
    CHECK(schema["oneOf"][0]["allOf"][1]["properties"]["type"]["const"] == "created");
    CHECK(schema["oneOf"][1]["allOf"][1]["properties"]["type"]["const"] == "Deleted");
}

TEST_CASE("a codec's own schema is taken, with its definitions") {
    const auto schema = schema_of<shop::Temperature>();
    CHECK(schema["$ref"] == "#/definitions/shop.Temperature");
    CHECK(schema["definitions"]["shop.Temperature"]["properties"]["k"] == ref("shop.Temperature.Kelvin"));
    CHECK(schema["definitions"]["shop.Temperature.Kelvin"] == json{{"type", "number"}, {"minimum", 0}});
    CHECK_FALSE(schema["definitions"]["shop.Temperature"].contains("$schema"));
    try {
        std::ignore = freshet::schema_of<shop::Tree>();
        FAIL("a schema that is not one was taken");
    } catch (const freshet::Error& error) {
        CHECK(error.code() == freshet::Condition::bad_setup);
        CHECK(std::string{error.what()}.find("Codec<shop::Tree>::schema() returns what is not a JSON Schema") !=
              std::string::npos);
    }
}

TEST_CASE("a field of which nobody says what it is may be anything") {
    const auto schema = schema_of<shop::WithPoint>();
    CHECK(schema["definitions"]["shop.WithPoint"]["properties"]["point"] == json::object());
}
