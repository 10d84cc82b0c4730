// SPDX-License-Identifier: Apache-2.0
#include "base/flat_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include <catch2/catch_test_macros.hpp>

using freshet::detail::FlatJson;

TEST_CASE("the members of an object are read by type") {
    const auto json = FlatJson::read(R"( {"text":"a\u00e9\n","flag":true,"count":18446744073709551615,"none":null} )");
    REQUIRE(json.is_object());
    CHECK_FALSE(json.bad_byte());
    CHECK(*json.find_as<std::string>("text") == "a\u00e9\n");
    CHECK(*json.find_as<bool>("flag"));
    CHECK(*json.find_as<std::uint64_t>("count") == 18446744073709551615U);
    CHECK(json.find_as<std::nullptr_t>("none") != nullptr);
    CHECK(json.find("other") == nullptr);
    CHECK(json.find_as<bool>("text") == nullptr);
}

TEST_CASE("the last of several members of one name counts") {
    CHECK(*FlatJson::read(R"({"a":"1","a":"2"})").find_as<std::string>("a") == "2");
}

TEST_CASE("arrays, objects and other numbers are told apart from what is read, and whether they have content") {
    const auto json =
        FlatJson::read(R"({"a":[],"b":{},"c":[1],"d":{"e":"f"},"g":[[]],"h":-1,"i":1.5,"j":[{"k":{}}],"l":"after"})");
    REQUIRE(json.is_object());
    for (const char* const name : {"a", "b"}) CHECK(json.find_as<FlatJson::Other>(name)->is_empty);
    for (const char* const name : {"c", "d", "g", "h", "i", "j"})
        CHECK_FALSE(json.find_as<FlatJson::Other>(name)->is_empty);
    CHECK(*json.find_as<std::string>("l") == "after");
    for (const char* const name : {"e", "k"}) CHECK(json.find(name) == nullptr);
}

TEST_CASE("what is no object has no members") {
    for (const char* const text : {"[]", "3", "\"a\"", "null", R"([{"a":1}])"}) {
        CAPTURE(text);
        const auto json = FlatJson::read(text);
        CHECK_FALSE(json.is_object());
        CHECK_FALSE(json.bad_byte());
        CHECK(json.find("a") == nullptr);
    }
}

TEST_CASE("what is not JSON has no members, and the byte is told") {
    CHECK(FlatJson::read("").bad_byte() == 1);
    CHECK(FlatJson::read(R"({"a":1)").bad_byte() == 7);
    const auto json = FlatJson::read(R"({"a":1,"b":x})");
    CHECK(json.bad_byte() == 12);
    CHECK_FALSE(json.is_object());
    CHECK(json.find("a") == nullptr);
    CHECK(FlatJson::read(R"({"a":1} x)").bad_byte());
}
