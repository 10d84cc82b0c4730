// SPDX-License-Identifier: Apache-2.0
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/headers.hpp>

using namespace freshet;
using Catch::Matchers::ContainsSubstring;
using Values = std::vector<std::string_view>;

TEST_CASE("headers keep their order and every value of a name") {
    Headers headers{{"a", "1"}, {"b", "2"}, {"a", "3"}};
    CHECK(headers.size() == 3);
    CHECK(headers.get("a") == "1");
    CHECK(headers.values("a") == Values{"1", "3"});
    CHECK(headers.begin()->first == "a");

    headers.set("a", "4");
    CHECK(headers.values("a") == Values{"4"});
    headers.add("a", "");
    CHECK(headers.values("a") == Values{"4", ""});

    CHECK(headers.erase("a"));
    CHECK_FALSE(headers.erase("a"));
    CHECK(headers == Headers{{"b", "2"}});
    headers.clear();
    CHECK(headers.empty());
}

TEST_CASE("header names are case-sensitive") {
    const Headers headers{{"Id", "1"}};
    CHECK(headers.contains("Id"));
    CHECK_FALSE(headers.contains("id"));
    CHECK(headers.values("ID").empty());
}

TEST_CASE("a header can be replaced by its own value") {
    Headers headers{{"a", "a long value that is not kept inside the string object"}, {"b", "2"}};
    headers.set("a", *headers.get("a"));
    CHECK(headers.get("a") == "a long value that is not kept inside the string object");
}

// cnats sends bad names as they are, which corrupts the message, and turns line breaks into spaces.
TEST_CASE("a header that NATS cannot carry is refused, and the error names it") {
    Headers headers;
    CHECK_THROWS_AS(headers.set("", "x"), Error);
    for (const std::string_view name : {"Bad Key", "Key:", "K\xc3\xa4y", "tab\there", "\x7f"}) {
        INFO(name);
        const auto checked = Headers::check(name, "x");
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == Errc::bad_header);
        CHECK_THROWS_AS(headers.add(name, "x"), Error);
    }
    for (const std::string_view value :
         {std::string_view{"two\nlines"}, std::string_view{"cr\r"}, std::string_view{"nul\0", 4}}) {
        const auto checked = Headers::check("X-Key", value);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == Errc::bad_header);
        CHECK_THAT(checked.error().what(), ContainsSubstring("\"X-Key\"") && ContainsSubstring("line break"));
    }
    CHECK(headers.empty());
    CHECK_THAT(Headers::check("Bad Key", "x").error().what(),
               ContainsSubstring("\"Bad Key\"") && ContainsSubstring("no space"));
    CHECK_THROWS_AS((Headers{{"ok", "1"}, {"not ok", "2"}}), Error);
}

TEST_CASE("header values may be empty, have any other character, and UTF-8") {
    CHECK(Headers::check("X", ""));
    CHECK(Headers::check("X", "a: b, c;\t\"d\" \xe2\x82\xac"));
    CHECK(Headers::check("!#$%&'*+-.^_`|~09azAZ", "x"));
}

// cnats drops blanks around a value when it reads one: what was sent would not be what arrives.
TEST_CASE("a value with a blank at an end is refused, since it would arrive without") {
    for (const std::string_view value : {" x", "\tx", " ", "x ", "x\t"}) {
        const auto checked = Headers::check("X-Key", value);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == Errc::bad_header);
        CHECK_THAT(std::string{checked.error().message()}, ContainsSubstring("X-Key"));
    }
    CHECK(Headers::check("X-Key", "a b\tc"));
}
