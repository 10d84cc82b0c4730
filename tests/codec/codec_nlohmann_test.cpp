// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/nlohmann.hpp>

#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace legacy {

struct Item {
    std::string sku = {};
    int qty = 0;

    bool operator==(const Item&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Item, sku, qty)

struct Cart {
    std::string id = {};
    std::vector<Item> items = {};
    std::array<int, 2> pair = {};

    bool operator==(const Cart&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Cart, id, items, pair)

class Secret {
public:
    int value() const { return value_; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Secret, value_)

private:
    int value_ = 0;
};

enum class Color { red, green };
NLOHMANN_JSON_SERIALIZE_ENUM(Color, {{Color::red, "r"}, {Color::green, "g"}})

// Both: the fields count for freshet.
struct Both {
    int number = 0;
};
FRESHET_JSON(Both, (number, "fields"));
void to_json(nlohmann::json& json, const Both& value) { json = {{"hand", value.number}}; }
void from_json(const nlohmann::json& json, Both& value) { json.at("hand").get_to(value.number); }

// Fields of ours around types of nlohmann's.
struct Envelope {
    Item item = {};
    std::vector<Item> more = {};
    std::optional<Item> spare = {};
    Color color = Color::red;
    nlohmann::json any = {};
};
FRESHET_JSON(Envelope, item, more, spare, color, any);

struct Thrower {};
void to_json(nlohmann::json&, const Thrower&) { throw Error{Errc::bad_payload, "not today"}; }
void from_json(const nlohmann::json&, Thrower&) { throw std::runtime_error{"not that way"}; }

}  // namespace legacy

TEST_CASE("nlohmann's conversions are a codec in every format") {
    const legacy::Cart cart{"c1", {{"a", 1}, {"b", 2}}, {3, 4}};
    for (const Format format : formats) {
        CHECK(sent(cart, format) == cart);
        CHECK(sent(std::vector{cart}, format) == std::vector{cart});
        CHECK(sent(std::map<std::string, legacy::Item>{{"k", {"a", 1}}}, format).at("k").qty == 1);
    }
    CHECK(written(cart) == R"({"id":"c1","items":[{"qty":1,"sku":"a"},{"qty":2,"sku":"b"}],"pair":[3,4]})");
    CHECK(read<legacy::Secret>(R"({"value_":7})")->value() == 7);
    CHECK(read<std::vector<legacy::Color>>(R"(["g","r"])") == std::vector{legacy::Color::green, legacy::Color::red});
}

TEST_CASE("nlohmann's errors are told as ours") {
    CHECK(refusal<legacy::Cart>("{}") == "id: missing");
    CHECK(refusal<legacy::Cart>(R"({"id":1})") == "expected string, got number");
    CHECK(refusal<legacy::Cart>("[]") == "expected object, got array");
    CHECK(refusal<legacy::Cart>("3") == "expected object, got number");
    CHECK(refusal<legacy::Cart>(R"({"id":"a","items":{}})") == "expected array, got object");
    CHECK(refusal<legacy::Cart>(R"({"id":"a","items":[],"pair":[1]})") == "array index 1 is out of range");
    CHECK(refusal<std::vector<legacy::Item>>(R"([{"sku":"a","qty":1},{"sku":"a"}])") == "[1].qty: missing");
    CHECK(refusal<legacy::Cart>("{") == refusal<shop::Order>("{"));
    CHECK(refusal<legacy::Thrower>("{}") == "not that way");
    CHECK(write_refusal(legacy::Thrower{}) == "not today");
}

TEST_CASE("where nlohmann says the place, it is kept") {
    detail::JsonFailure failure;
    CHECK_FALSE(detail::nlohmann_failure(
        failure, "[json.exception.type_error.302] (/lines/2/qty) type must be number, but is string"));
    CHECK(failure.message() == "lines[2].qty: expected number, got string");
    detail::nlohmann_failure(failure, "[json.exception.out_of_range.403] (/lines/2) key 'qty' not found");
    CHECK(failure.message() == "lines[2].qty: missing");
    detail::nlohmann_failure(failure, "[json.exception.other_error.501] something else");
    CHECK(failure.message() == "something else");
    detail::nlohmann_failure(failure, "no brackets");
    CHECK(failure.message() == "no brackets");
}

TEST_CASE("nlohmann::json is a body") {
    const auto json = nlohmann::json::parse(R"({"a":[1,-2,2.5,true,null,"é"],"b":{}})");
    for (const Format format : formats) CHECK(sent(json, format) == json);
    CHECK(written(nlohmann::ordered_json::parse(R"({"z":1,"a":2})")) == R"({"z":1,"a":2})");
    CHECK(written(*read<nlohmann::ordered_json>(R"({"z":1,"a":2})")) == R"({"z":1,"a":2})");
    const auto binary = nlohmann::json::binary({1, 2, 255});
    CHECK(sent(binary, Format::cbor) == binary);
    CHECK(write_refusal(nlohmann::json{{"b", binary}}) ==
          "b: JSON cannot carry bytes; send MessagePack or CBOR, or encode them as text");
    CHECK(write_refusal(nlohmann::json{{"q", "\xff"}}) ==
          "q: a string that is not UTF-8; send such bytes as std::vector<std::byte>");
    CHECK(write_refusal(nlohmann::json{1, std::numeric_limits<double>::infinity()}) ==
          "[1]: JSON has no inf; send MessagePack or CBOR, or leave out a std::optional");
}

TEST_CASE("types of nlohmann's are fields of ours") {
    const auto value = read<legacy::Envelope>(
        R"({"item":{"sku":"a","qty":1},"more":[{"sku":"b","qty":2}],"spare":null,"color":"g","any":{"x":[1]}})");
    REQUIRE(value);
    CHECK(value->more.at(0) == legacy::Item{"b", 2});
    CHECK(value->color == legacy::Color::green);
    CHECK(value->any == nlohmann::json{{"x", {1}}});
    for (const Format format : formats) CHECK(sent(*value, format).item.sku == "a");
    CHECK(refusal<legacy::Envelope>(R"({"item":{"sku":"a","qty":1},"more":[{"sku":"b","qty":"2"}]})") ==
          "more[0]: expected number, got string");
}

TEST_CASE("types with fields are values of nlohmann::json") {
    const shop::Order order{.id = "a", .amount = 1, .lines = {{"x", 1, 2}}, .status = shop::Status::in_progress};
    const nlohmann::json json = order;
    CHECK(json.at("status") == "in-progress");
    CHECK(json.get<shop::Order>() == order);
    CHECK(nlohmann::json(std::vector{shop::Status::open}).dump() == R"(["open"])");
    CHECK(nlohmann::ordered_json(order).begin().key() == "id");
    CHECK_THROWS_AS(nlohmann::json::object().get<shop::Order>(), Error);
}

TEST_CASE("a type with both has its fields in freshet and its conversions in nlohmann") {
    CHECK(written(legacy::Both{1}) == R"({"fields":1})");
    CHECK(nlohmann::json(legacy::Both{1}).dump() == R"({"hand":1})");
}

TEST_CASE("nlohmann's ways with the standard library are not meant") {
    STATIC_CHECK_FALSE(Encodable<std::multimap<std::string, int>>);
    STATIC_CHECK_FALSE(Encodable<std::nullptr_t>);
    STATIC_CHECK(Encodable<std::string>);
}
