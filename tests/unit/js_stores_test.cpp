// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "jetstream/digest.hpp"
#include "jetstream/rfc3339.hpp"
#include "jetstream/store_names.hpp"

using namespace freshet::detail;
using Catch::Matchers::ContainsSubstring;
using freshet::as_bytes;

TEST_CASE("a bucket's name is made of letters, digits, dashes and underscores") {
    for (const std::string_view name : {"flags", "FLAGS_2", "a-b", "0", "_"}) {
        CHECK(check_bucket(StoreKind::key_value, name));
        CHECK(check_bucket(StoreKind::object, name));
    }
    for (const std::string_view name : {"", "a.b", "a b", "a*", ">", "a/b", "ä", "a\n"}) {
        CAPTURE(name);
        const auto checked = check_bucket(StoreKind::key_value, name);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == freshet::Errc::bad_setup);
    }
    CHECK_THAT(std::string{check_bucket(StoreKind::object, "a b").error().message()},
               ContainsSubstring("object store \"a b\""));
}

TEST_CASE("a key is made of tokens of letters, digits and -/_=") {
    for (const std::string_view key : {"a", "a.b.c", "A-1/b_c=d", "9"}) CHECK(check_key(key));
    for (const std::string_view key :
         {"", ".", "a.", ".a", "a..b", "a b", "a*", "*", ">", "a.>", "a:b", "{a}", "ä", "a\tb", "$a"}) {
        CAPTURE(key);
        const auto checked = check_key(key);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == freshet::Errc::bad_subject);
        CHECK(checked.error().condition() == freshet::Condition::bad_setup);
    }
    CHECK_FALSE(check_key(std::string(4'000, 'a')));
}

TEST_CASE("a key filter may have wildcards as whole tokens") {
    for (const std::string_view filter : {"a", "*", ">", "a.*", "a.*.c", "a.>", "*.>"}) CHECK(check_key_filter(filter));
    for (const std::string_view filter : {"", "a*", ">.a", "a.>.b", "a..*", "a b.*", "{a}", "a.{b}"}) {
        CAPTURE(filter);
        CHECK_FALSE(check_key_filter(filter));
    }
}

TEST_CASE("base64 with the alphabet of URLs") {
    CHECK(base64url({}).empty());
    CHECK(base64url(as_bytes("f")) == "Zg==");
    CHECK(base64url(as_bytes("fo")) == "Zm8=");
    CHECK(base64url(as_bytes("foo")) == "Zm9v");
    CHECK(base64url(as_bytes("foobar")) == "Zm9vYmFy");
    CHECK(base64url(as_bytes("\xfb\xff\xfe")) == "-__-");
}

TEST_CASE("a digest as object stores write it") {
    Sha256 empty;
    CHECK(empty.finish() == "SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=");
    Sha256 pieces;
    pieces.add(as_bytes("a"));
    pieces.add(as_bytes("bc"));
    CHECK(pieces.finish() == "SHA-256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=");
}

TEST_CASE("a server's time is read and written") {
    const auto time = parse_rfc3339("2022-08-06T00:29:27.587861324Z");
    REQUIRE(time);
    CHECK(format_rfc3339(*time) == "2022-08-06T00:29:27.587861324Z");
    CHECK(parse_rfc3339("2022-08-06 00:29:27.587861324 +0000 UTC") == time);
    CHECK(parse_rfc3339("2022-08-06T02:29:27.587861324+02:00") == time);
    CHECK(parse_rfc3339("2022-08-05T18:59:27.587861324-05:30") == time);
    CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == std::chrono::system_clock::time_point{});
    CHECK(format_rfc3339(*parse_rfc3339("1969-12-31T23:59:59.5Z")) == "1969-12-31T23:59:59.500000000Z");
}

TEST_CASE("what is no time is none") {
    const std::string_view text = GENERATE("", "2022", "2022-08-06", "2022-13-06T00:00:00Z", "2022-02-30T00:00:00Z",
                                           "2022-08-06T24:00:00Z", "2022-08-06T00:00:00", "2022-08-06T00:00:00.Z",
                                           "-022-08-06T00:00:00Z", "2022-08-06T00:00:0xZ", "yesterday");
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
}
