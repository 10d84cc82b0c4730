// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;
using Catch::Matchers::StartsWith;
using namespace std::string_view_literals;

namespace {

struct Byte {
    std::uint8_t n = 0;
};
FRESHET_JSON(Byte, n);

struct Money {
    std::int64_t cents = 0;
};

std::string nested(int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

/// A document within a string.
struct Enclosed {
    shop::Line line = {};
};

}  // namespace

template <>
struct freshet::JsonAs<Enclosed> {
    static std::string encode(const Enclosed& value) { return written(value.line); }
    static Expected<Enclosed> decode(const std::string& text) {
        auto line = testing::read<shop::Line>(text);
        if (!line) return std::unexpected{line.error()};
        return Enclosed{*line};
    }
};

template <>
struct freshet::JsonAs<Money> {
    static std::string encode(const Money& money) { return std::to_string(money.cents) + "c"; }
    static Expected<Money> decode(const std::string& text) {
        if (!text.ends_with('c')) return failure(Errc::bad_payload, "money ends with c");
        return Money{std::stol(text)};
    }
};

TEST_CASE("an order is read") {
    const auto order = read<shop::Order>(R"({"id":"a1","amount":10,"note":"soon","status":"in-progress","level":255,
        "lines":[{"sku":"x","qty":-3,"unitPrice":2.5},{"sku":"y"}],"counts":{"a":1,"b":2}})");
    REQUIRE(order);
    CHECK(*order == shop::Order{.id = "a1",
                                .amount = 10,
                                .lines = {{"x", -3, 2.5}, {"y", 0, 0}},
                                .note = "soon",
                                .status = shop::Status::in_progress,
                                .level = shop::Level::high,
                                .counts = {{"a", 1}, {"b", 2}}});
}

TEST_CASE("fields come in any order, unknown ones are ignored, the last of two counts") {
    CHECK(read<shop::Line>(R"({"unitPrice":1,"more":{"sku":[1,{"sku":2}]},"sku":"a","qty":1,"sku":"b"})") ==
          shop::Line{"b", 1, 1});
    CHECK(read<shop::Nothing>(R"({"a":1})") == shop::Nothing{});
    CHECK(read<std::map<std::string, std::vector<int>>>(R"({"a":[1],"a":[2]})")->at("a") == std::vector{2});
}

TEST_CASE("what is optional may be absent or null, what has a default may be absent") {
    const auto order = read<shop::Order>(R"({"id":"a","amount":1,"note":null})");
    REQUIRE(order);
    CHECK_FALSE(order->note);
    CHECK(order->lines.empty());
    CHECK(order->level == shop::Level::low);
    CHECK(refusal<shop::Line>(R"({"sku":"x","qty":null})") == "qty: expected number, got null");
}

TEST_CASE("the names of an error lead to the place") {
    CHECK(refusal<shop::Order>(R"({"amount":1})") == "id: missing");
    CHECK(refusal<shop::Order>(R"({"id":"a"})") == "amount: missing");
    CHECK(refusal<shop::Order>(R"({"id":1,"amount":1})") == "id: expected string, got number");
    CHECK(refusal<shop::Order>(R"({"id":"a","amount":1,"lines":[{"sku":"x"},{"sku":"y"},{"sku":"z","qty":"3"}]})") ==
          "lines[2].qty: expected number, got string");
    CHECK(refusal<shop::Order>(R"({"id":"a","amount":1,"lines":[{"qty":1}]})") == "lines[0].sku: missing");
    CHECK(refusal<shop::Order>(R"({"id":"a","amount":1,"lines":[{"sku":"x","unitPrice":true}]})") ==
          "lines[0].unitPrice: expected number, got boolean");
    CHECK(refusal<shop::Order>(R"({"id":"a","amount":1,"counts":{"b\n\"":"x"}})") ==
          R"(counts["b\x0a""]: expected number, got string)");
    CHECK(refusal<shop::Node>(R"({"name":"a","children":[{"name":"b","children":[{}]}]})") ==
          "children[0].children[0].name: missing");
    CHECK(refusal<std::vector<std::vector<int>>>("[[1],[2,[]]]") == "[1][1]: expected number, got array");
    CHECK(refusal<std::map<std::string, std::array<int, 2>>>(R"({"a":[1,2],"b":[1]})") ==
          "b: expected an array of length 2, got length 1");
}

TEST_CASE("another kind of value than expected") {
    CHECK(refusal<shop::Order>("[]") == "expected object, got array");
    CHECK(refusal<shop::Order>("3") == "expected object, got number");
    CHECK(refusal<std::vector<int>>("{}") == "expected array, got object");
    CHECK(refusal<std::map<std::string, int>>("[]") == "expected object, got array");
    CHECK(refusal<std::array<int, 1>>("1") == "expected array, got number");
    CHECK(refusal<bool>("1") == "expected boolean, got number");
    CHECK(refusal<int>("true") == "expected number, got boolean");
    CHECK(refusal<double>("\"1\"") == "expected number, got string");
    CHECK(refusal<std::optional<int>>("[]") == "expected number, got array");
    CHECK(refusal<std::set<int>>("[1,null]") == "[1]: expected number, got null");
    CHECK(refusal<shop::Level>("\"low\"") == "expected number, got string");
}

TEST_CASE("numbers at the edges") {
    CHECK(read<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(read<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(refusal<std::int64_t>("9223372036854775808") ==
          "9223372036854775808 does not fit into a 64-bit signed integer");
    CHECK(refusal<std::int64_t>("-9223372036854775809") ==
          "-9223372036854775809 does not fit into a 64-bit signed integer");
    CHECK(read<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK(refusal<std::uint64_t>("18446744073709551616") ==
          "18446744073709551616 does not fit into a 64-bit unsigned integer");
    CHECK(refusal<Byte>(R"({"n":300})") == "n: 300 does not fit into an 8-bit unsigned integer");
    CHECK(refusal<Byte>(R"({"n":-1})") == "n: -1 does not fit into an 8-bit unsigned integer");
    CHECK(refusal<std::int8_t>("-129") == "-129 does not fit into an 8-bit signed integer");
    CHECK(read<std::int8_t>("-128") == -128);
    CHECK(refusal<std::int32_t>("1e300") == "1e300 does not fit into a 32-bit signed integer");
    CHECK(refusal<shop::Level>("256") == "256 does not fit into an 8-bit unsigned integer");
}

TEST_CASE("an integer may be written with a point or an exponent, but has no fraction") {
    CHECK(read<int>("2.0") == 2);
    CHECK(read<int>("-1e2") == -100);
    CHECK(read<std::uint64_t>("9007199254740992.0") == std::uint64_t{1} << 53);
    CHECK(read<std::uint64_t>("1e19") == 10'000'000'000'000'000'000U);
    CHECK(refusal<std::uint64_t>("1e20") == "1e20 does not fit into a 64-bit unsigned integer");
    CHECK(refusal<int>("2.5") == "expected integer, got 2.5");
    CHECK(refusal<unsigned>("0.1") == "expected integer, got 0.1");
}

TEST_CASE("numbers with a fraction") {
    CHECK(read<double>("-9223372036854775808") == -0x1p63);
    CHECK(read<double>("18446744073709551615") == 0x1p64);
    CHECK(read<float>("0.1") == 0.1F);
    CHECK(std::signbit(*read<double>("-0.0")));
    CHECK(refusal<float>("1e39") == "1e39 does not fit into a 32-bit float");
    CHECK(refusal<double>("1e999") == "1e999 does not fit into a 64-bit float");
    CHECK_THAT(refusal<double>("NaN"), StartsWith("not valid JSON at byte 1: invalid literal"));
}

TEST_CASE("names of an enum") {
    CHECK(read<shop::Status>("\"in-progress\"") == shop::Status::in_progress);
    CHECK(refusal<shop::Status>("\"in_progress\"") ==
          R"(expected one of "open", "in-progress", "closed", got "in_progress")");
    CHECK(refusal<shop::Status>("7") == "expected string, got number");
}

TEST_CASE("strings") {
    CHECK(read<std::vector<std::string>>(R"(["\u0041\n\"\\\/","\ud83d\ude00","é€😀","a\u0000b",""])") ==
          std::vector<std::string>{"A\n\"\\/", "😀", "é€😀", std::string{"a\0b", 3}, ""});
    CHECK_THAT(refusal<std::vector<std::string>>("[\"\xff\"]"),
               StartsWith("not valid JSON at byte 3: invalid string: ill-formed UTF-8 byte"));
    CHECK_THAT(refusal<std::vector<std::string>>(R"(["\ud83d"])"),
               StartsWith("not valid JSON at byte 3: invalid string: surrogate"));
    CHECK_THAT(refusal<std::vector<std::string>>("[\"a\nb\"]"),
               StartsWith("not valid JSON at byte 4: invalid string: control character"));
}

TEST_CASE("what is not JSON is told by the byte") {
    CHECK(refusal<shop::Order>("") == "the body is empty; expected JSON");
    CHECK(refusal<shop::Order>(" ") ==
          "not valid JSON at byte 2: unexpected end of input; expected '[', '{', or a literal");
    CHECK(refusal<shop::Order>(R"({"id":"a")") == "not valid JSON at byte 10: unexpected end of input; expected '}'");
    CHECK(refusal<shop::Order>(R"({"id":nul})") == "not valid JSON at byte 10: invalid literal");
    CHECK(refusal<std::vector<int>>("[1,2] x") == "not valid JSON at byte 7: invalid literal; expected end of input");
    CHECK(refusal<std::vector<int>>("[1,]") ==
          "not valid JSON at byte 4: unexpected ']'; expected '[', '{', or a literal");
    CHECK(refusal<std::vector<int>>("[01]") == "not valid JSON at byte 3: unexpected number literal; expected ']'");
    CHECK(refusal<int>("1", "application/cbor; a=b").empty());
    CHECK_THAT(refusal<int>("\x1c", "application/cbor"), StartsWith("not valid CBOR at byte 1: "));
    CHECK_THAT(refusal<int>("\xc1", "application/msgpack"), StartsWith("not valid MessagePack at byte 1: "));
    CHECK(refusal<int>("", "application/cbor") == "the body is empty; expected CBOR");
}

TEST_CASE("a hostile body does not get far into the error") {
    CHECK(refusal<int>(std::string(100'000, '9')).size() < 300);
    CHECK(refusal<shop::Status>("\"" + std::string(100'000, 'x') + "\"").size() < 300);
    CHECK(refusal<std::vector<std::string>>("[\"" + std::string(100'000, 'x')).size() < 300);
    CHECK(refusal<std::map<std::string, int>>("{\"" + std::string(100'000, 'x') + "\":\"\"}").size() < 300);
}

TEST_CASE("bodies nest up to a limit") {
    const std::string too_deep = "the body nests deeper than 256 levels";
    CHECK(refusal<shop::Nothing>(nested(256)) == "expected object, got array");
    CHECK(refusal<shop::Nothing>(nested(257)) == too_deep);
    CHECK(refusal<shop::Nothing>(std::string(1'000'000, '[')) == too_deep);
    CHECK(refusal<shop::Nothing>(std::string(1'000'000, '\x81'), "application/cbor") == too_deep);
    CHECK(refusal<shop::Nothing>(std::string(1'000'000, '\x91'), "application/msgpack") == too_deep);
    std::string tree;
    for (int i = 0; i < 1000; ++i) tree += R"({"name":"","children":[)";
    CHECK(refusal<shop::Node>(tree) == too_deep);
}

TEST_CASE("a length without its content is refused before memory is taken for it") {
    CHECK_THAT(refusal<std::vector<int>>("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "application/cbor"),
               StartsWith("not valid CBOR"));
    CHECK_THAT(refusal<std::vector<std::string>>("\x81\x7b\x7f\xff\xff\xff\xff\xff\xff\xff", "application/cbor"),
               StartsWith("not valid CBOR"));
    CHECK_THAT(refusal<std::vector<int>>("\xdd\xff\xff\xff\xff", "application/msgpack"),
               StartsWith("not valid MessagePack"));
}

TEST_CASE("strings in MessagePack and CBOR are UTF-8") {
    CHECK(refusal<std::vector<std::string>>("\x81\x62\xc3\x28", "application/cbor") ==
          "not valid CBOR at byte 4: a string is not UTF-8");
    CHECK(refusal<std::vector<std::string>>("\x91\xa1\xff", "application/msgpack") ==
          "not valid MessagePack at byte 3: a string is not UTF-8");
    CHECK(refusal<std::map<std::string, int>>("\x81\xa1\xff\x01", "application/msgpack") ==
          "not valid MessagePack at byte 3: a string is not UTF-8");
    CHECK(refusal<std::vector<std::string>>("\x81\x41x", "application/cbor") == "[0]: expected string, got bytes");
}

TEST_CASE("CBOR as others write it") {
    CHECK(read<std::vector<double>>("\x9f\xf9\x3c\0\x01\xfa\x40\x20\0\0\xff"sv, "application/cbor") ==
          std::vector<double>{1, 1, 2.5});
    CHECK(std::isnan(*read<double>("\xf9\x7e\0"sv, "application/cbor")));
    CHECK(refusal<int>("\xf9\x7e\0"sv, "application/cbor") == "expected integer, got nan");
    CHECK(read<int>("\xc1\x05", "application/cbor") == 5);  // a tag
    CHECK(read<std::map<std::string, int>>("\xa1\x01\x02", "application/cbor")->at("1") == 2);
    CHECK_THAT(refusal<shop::Nothing>("\xa1\xf6\x02", "application/cbor"), StartsWith("not valid CBOR at byte 2: "));
    CHECK_THAT(refusal<int>(std::string(1'000'000, '\xc1'), "application/cbor"), StartsWith("not valid CBOR at byte"));
}

TEST_CASE("a type travels as another one") {
    CHECK(read<std::vector<Money>>(R"(["12c","-3c"])")->at(1).cents == -3);
    CHECK(refusal<std::vector<Money>>(R"(["12c","3"])") == "[1]: money ends with c");
    CHECK(refusal<std::vector<Money>>("[3]") == "[0]: expected string, got number");
    CHECK_THAT(refusal<std::vector<Money>>(R"(["c"])"), StartsWith("stol"));  // what the user's code throws
    CHECK(written(std::vector{Money{5}}) == R"(["5c"])");
}

TEST_CASE("private members, templates and base classes") {
    CHECK(read<shop::Account>(R"({"balance":5})")->balance() == 5);
    CHECK(read<shop::Page<shop::Line>>(R"({"items":[{"sku":"a"}]})")->items.at(0).sku == "a");
    CHECK(read<shop::Derived>(R"({"id":1,"extra":2})")->id == 1);
    STATIC_CHECK_FALSE(Decodable<shop::Undeclared>);  // not read as its base
}

TEST_CASE("a body can be read while another one is read") {
    const std::vector<Enclosed> list{{{"a", 1, 2}}, {{"b", 3, 4}}};
    const auto back = read<std::vector<Enclosed>>(written(list));
    REQUIRE(back);
    CHECK(back->at(0).line == list[0].line);
    CHECK(back->at(1).line == list[1].line);
    CHECK(refusal<std::vector<Enclosed>>(R"(["{\"sku\":\"a\"}","{}"])") == "[1]: sku: missing");
}
