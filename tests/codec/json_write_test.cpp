// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Views {
    std::string_view text = {};
    const char* literal = "";
};
FRESHET_JSON(Views, text, literal);

shop::Every every() {
    return {.flag = true,
            .i8 = -128,
            .i16 = -32768,
            .i32 = std::numeric_limits<std::int32_t>::min(),
            .i64 = std::numeric_limits<std::int64_t>::min(),
            .u8 = 255,
            .u16 = 65535,
            .u32 = std::numeric_limits<std::uint32_t>::max(),
            .u64 = std::numeric_limits<std::uint64_t>::max(),
            .f32 = 0.1F,
            .f64 = 0.1,
            .text = "é\"\\\n\x01\x7f😀",
            .three = {1, -2, 3},
            .bits = {true, false},
            .queue = {"a", ""},
            .tags = {"x", "y"},
            .lines = {{"k", {"s", 1, 1.5}}},
            .nothing = shop::Nothing{},
            .gaps = {1, std::nullopt, 3},
            .deep = {{{{"a", shop::Status::closed}}, {}}}};
}

nlohmann::json parsed(const std::string& body, Format format) {
    switch (format) {
        case Format::messagepack: return nlohmann::json::from_msgpack(body);
        case Format::cbor: return nlohmann::json::from_cbor(body);
        default: return nlohmann::json::parse(body);
    }
}

}  // namespace

TEST_CASE("JSON is written without blanks, in the order of the fields, without empty optionals") {
    CHECK(
        written(shop::Order{.id = "a1", .amount = 10, .lines = {{"x", 1, 2.5}}, .status = shop::Status::in_progress}) ==
        R"({"id":"a1","amount":10,"lines":[{"sku":"x","qty":1,"unitPrice":2.5}],"status":"in-progress","level":1,"counts":{}})");
    CHECK(written(shop::Nothing{}) == "{}");
    CHECK(written(std::vector<std::optional<int>>{1, {}}) == "[1,null]");
    CHECK(written(std::optional<int>{}) == "null");
    CHECK(written(Views{"a", "b"}) == R"({"text":"a","literal":"b"})");
    CHECK(written(shop::Account{3}) == R"({"balance":3})");
}

TEST_CASE("strings are escaped as JSON demands, and no more") {
    CHECK(written(std::vector<std::string>{"\"\\/\b\f\n\r\t", std::string{"\0\x1f\x7f", 3}, "é😀"}) ==
          "[\"\\\"\\\\/\\b\\f\\n\\r\\t\",\"\\u0000\\u001f\x7f\",\"é😀\"]");
}

TEST_CASE("numbers are written in the shortest form that reads back the same") {
    CHECK(written(std::vector<double>{0.1, 1, -0.0, 1e22, 1.7976931348623157e308, 5e-324}) ==
          "[0.1,1,-0,1e+22,1.7976931348623157e+308,5e-324]");
    CHECK(written(std::vector<float>{0.1F, 16777216.F}) == "[0.1,16777216]");
    CHECK(written(std::vector<std::uint8_t>{0, 255}) == "[0,255]");
    CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("every kind of field survives every format") {
    for (const Format format : formats) {
        CAPTURE(content_type(format));
        CHECK(sent(every(), format) == every());
        CHECK(sent(shop::Every{}, format) == shop::Every{});
        const shop::Node tree{"a", {{"b", {{"c", {}}}}, {"d", {}}}};
        CHECK(sent(tree, format) == tree);
        CHECK(sent(shop::Nothing{}, format) == shop::Nothing{});
        const shop::Page<shop::Line> page{.items = {{"x", 1, 2}}, .next = "n"};
        CHECK(sent(page, format).items == page.items);
    }
}

TEST_CASE("another implementation reads what is written") {
    const auto json = parsed(written(every()), Format::json);
    for (const Format format : formats) {
        CAPTURE(content_type(format));
        auto other = parsed(written(every(), format), format);
        CHECK(other.at("f32").get<float>() == 0.1F);
        other["f32"] = json.at("f32");  // wider or shorter, as the format has it
        CHECK(other == json);
    }
}

TEST_CASE("lengths and numbers of every width are written in MessagePack and CBOR") {
    std::vector<std::int64_t> numbers;
    for (int bit = 0; bit < 63; ++bit) {
        for (const std::int64_t delta : {-1, 0, 1}) {
            numbers.push_back((std::int64_t{1} << bit) + delta);
            numbers.push_back(-(std::int64_t{1} << bit) + delta);
        }
    }
    for (const Format format : {Format::messagepack, Format::cbor}) {
        CAPTURE(content_type(format));
        CHECK(sent(numbers, format) == numbers);
        CHECK(parsed(written(numbers, format), format) == nlohmann::json(numbers));
        for (const std::size_t size : {0U, 15U, 16U, 23U, 24U, 31U, 32U, 255U, 256U, 65535U, 65536U}) {
            const std::vector<std::string> text{std::string(size, 'x')};
            CHECK(sent(text, format) == text);
            const std::vector<int> list(size, 1);
            CHECK(sent(list, format) == list);
            std::map<std::string, bool> map;
            for (std::size_t i = 0; i < size; ++i) map[std::to_string(i)] = true;
            CHECK(sent(map, format) == map);
        }
    }
}

TEST_CASE("MessagePack and CBOR carry what JSON cannot") {
    for (const Format format : {Format::messagepack, Format::cbor}) {
        CHECK(sent(infinity, format) == infinity);
        CHECK(sent(-std::numeric_limits<float>::infinity(), format) == -std::numeric_limits<float>::infinity());
        const auto nan = sent(std::numeric_limits<double>::quiet_NaN(), format);
        CHECK(nan != nan);
    }
    CHECK(write_refusal(infinity) == "JSON has no inf; send MessagePack or CBOR, or leave out a std::optional");
    CHECK(write_refusal(shop::Order{.lines = {{}, {.price = -infinity}}}) ==
          "lines[1].unitPrice: JSON has no -inf; send MessagePack or CBOR, or leave out a std::optional");
    CHECK(write_refusal(std::map<std::string, float>{{"a", std::numeric_limits<float>::quiet_NaN()}}) ==
          "a: JSON has no nan; send MessagePack or CBOR, or leave out a std::optional");
}

TEST_CASE("what is not UTF-8 is refused in every format, never mended") {
    const std::string why = "a string that is not UTF-8; send such bytes as std::vector<std::byte>";
    for (const Format format : formats) {
        CHECK(write_refusal(shop::Line{.sku = "\xff"}, format) == "sku: " + why);
        for (const std::string text : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
                                       "12345678\x80", "\xf0\x80\x80\x80", "\xe2\x28\xa1"}) {
            CHECK(write_refusal(std::vector{text}, format) == "[0]: " + why);
        }
        CHECK(write_refusal(std::map<std::string, int>{{"\xff", 1}}, format).ends_with(why));
        CHECK(write_refusal(
                  std::vector<std::string>{
                      "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
                  format)
                  .empty());
    }
}

TEST_CASE("an enum value without a name is refused") {
    CHECK(write_refusal(shop::Order{.status = shop::Status{3}}) ==
          "status: 3 is none of the values in FRESHET_ENUM; add it there");
}

TEST_CASE("what nests too deep to be read is not written") {
    shop::Node tree;
    for (int i = 0; i < 127; ++i) {
        shop::Node parent;
        parent.children.push_back(std::move(tree));
        tree = std::move(parent);
    }
    for (const Format format : formats) CHECK(sent(tree, format) == tree);
    const shop::Node too_deep{"", {tree}};
    for (const Format format : formats)
        CHECK(write_refusal(too_deep, format).ends_with("the value nests deeper than 256 levels"));
}
