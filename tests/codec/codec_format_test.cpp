// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

using namespace freshet;

TEST_CASE("a content type names a format") {
    for (const std::string_view type : {"", "application/json", "APPLICATION/Json", "application/json; charset=utf-8",
                                        " application/json ;q=1", "text/json", "application/problem+json", ";"}) {
        CAPTURE(type);
        CHECK(format_of(type) == Format::json);
    }
    for (const std::string_view type :
         {"application/msgpack", "application/x-msgpack", "application/vnd.msgpack", "application/x+msgpack"}) {
        CAPTURE(type);
        CHECK(format_of(type) == Format::messagepack);
    }
    for (const std::string_view type : {"application/cbor", "application/senml+cbor", "application/cbor;a=b;c=d"}) {
        CAPTURE(type);
        CHECK(format_of(type) == Format::cbor);
    }
    for (const std::string_view type :
         {"text/plain", "application/jsonl", "json", "+json", "application/octet-stream", "\xff\x00"}) {
        CAPTURE(type);
        CHECK(format_of(type) == std::nullopt);
    }
}

TEST_CASE("a format's own content type names it") {
    for (const Format format : {Format::json, Format::messagepack, Format::cbor}) {
        CHECK(format_of(content_type(format)) == format);
    }
}

TEST_CASE("a content type that is none of the three is an error that says what to do") {
    const auto format = detail::body_format("text/plain\n");
    REQUIRE_FALSE(format);
    CHECK(format.error().code() == Condition::bad_payload);
    CHECK(
        format.error().message() ==
        "content-type \"text/plain\\x0a\" is not JSON, MessagePack or CBOR; take the body as std::string, or specialise "
        "freshet::Codec for its type");
}
