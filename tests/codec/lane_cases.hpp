// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <freshet/codec_format.hpp>

// What every lane says of a body, whichever library reads it: docs/codecs.md, "The rules of every lane".

namespace freshet::testing {

/// Reads a Probe: every member is optional. `value` is the JSON that a Probe with what was read is written as; none:
/// the body is refused.
struct LaneCase {
    std::string_view what;
    Format format;
    std::string_view body;
    std::optional<std::string_view> value;
};

using namespace std::string_view_literals;

inline constexpr auto refused = std::nullopt;
inline constexpr auto json = Format::json;
inline constexpr auto messagepack = Format::messagepack;
inline constexpr auto cbor = Format::cbor;

inline constexpr LaneCase lane_cases[] = {
    // Integers: a number is its value, however it is written.
    {"an integer", json, R"({"i":-7})", R"({"i":-7})"},
    {"an integer with a point", json, R"({"i":1.0})", R"({"i":1})"},
    {"an integer with an exponent", json, R"({"i":100e-2})", R"({"i":1})"},
    {"an integer with both", json, R"({"i":-1.25E+2})", R"({"i":-125})"},
    {"a fraction for an integer", json, R"({"i":2.5})", refused},
    {"a tiny fraction for an integer", json, R"({"i":1e-400})", refused},
    {"nothing, with an exponent, for an integer", json, R"({"i":0e400})", R"({"i":0})"},
    {"nothing, with many digits, for an integer", json, R"({"i":0.000e-400})", R"({"i":0})"},
    {"1e16 for 64 bits", json, R"({"i64":1e16})", R"({"i64":10000000000000000})"},
    {"1e18 for 64 bits", json, R"({"u64":1e18})", R"({"u64":1000000000000000000})"},
    {"2^53 + 1 with a point", json, R"({"i64":9007199254740993.0})", R"({"i64":9007199254740993})"},
    {"the largest", json, R"({"u64":18446744073709551615})", R"({"u64":18446744073709551615})"},
    {"the largest with a point", json, R"({"u64":18446744073709551615.0})", R"({"u64":18446744073709551615})"},
    {"one more than the largest", json, R"({"u64":18446744073709551616})", refused},
    {"1e20 for 64 bits", json, R"({"u64":1e20})", refused},
    {"the smallest", json, R"({"i64":-9223372036854775808})", R"({"i64":-9223372036854775808})"},
    {"the smallest with an exponent", json, R"({"i64":-9223372036854775808e0})", R"({"i64":-9223372036854775808})"},
    {"one less than the smallest", json, R"({"i64":-9223372036854775809})", refused},
    {"a hundred digits", json, "{\"i\":1000000000000000000000000000000000000000000000000000000000000000e-63}",
     R"({"i":1})"},
    {"an exponent beyond counting", json, R"({"i":1e99999999999999999999})", refused},
    {"-0 for a signed integer", json, R"({"i":-0})", R"({"i":0})"},
    {"-0 for an unsigned integer", json, R"({"u8":-0})", R"({"u8":0})"},
    {"-0.0 for an unsigned integer", json, R"({"u8":-0.0})", R"({"u8":0})"},
    {"-1 for an unsigned integer", json, R"({"u8":-1})", refused},
    {"256 for 8 bits", json, R"({"u8":256})", refused},
    {"255.0 for 8 bits", json, R"({"u8":255.0})", R"({"u8":255})"},
    {"25600e-2 for 8 bits", json, R"({"u8":25600e-2})", refused},

    // Numbers with a fraction.
    {"-0 for a double", json, R"({"d":-0})", R"({"d":-0})"},
    {"-0.0 for a double", json, R"({"d":-0.0})", R"({"d":-0})"},
    {"too near to nothing for a double", json, R"({"d":1e-400})", R"({"d":0})"},
    {"too near to nothing, from below", json, R"({"d":-1e-400})", R"({"d":-0})"},
    {"the smallest double", json, R"({"d":5e-324})", R"({"d":5e-324})"},
    {"too much for a double", json, R"({"d":1e400})", refused},
    {"too many digits for a double's exponent", json, R"({"d":1e99999999999999999999})", refused},
    {"digits that cancel their exponent", json, R"({"d":0.00000000000000000001e320})", R"({"d":1e+300})"},
    {"the largest double", json, R"({"d":1.7976931348623157e308})", R"({"d":1.7976931348623157e+308})"},
    {"an integer beyond 64 bits for a double", json, R"({"d":18446744073709551616})", R"({"d":18446744073709551616})"},
    {"the largest float as it is written", json, R"({"f":3.4028235e+38})", R"({"f":3.4028235e+38})"},
    {"too much for a float", json, R"({"f":3.4028236e+38})", refused},
    {"too near to nothing for a float", json, R"({"f":1e-60})", R"({"f":0})"},
    {"a number without a digit before the point", json, R"({"d":.5})", refused},
    {"a number without a digit behind the point", json, R"({"d":5.})", refused},
    {"a number with a zero before it", json, R"({"d":05})", refused},
    {"a number with a plus", json, R"({"d":+5})", refused},
    {"a number without an exponent's digits", json, R"({"d":5e})", refused},
    {"a number without digits", json, R"({"d":-})", refused},
    {"NaN", json, R"({"d":NaN})", refused},
    {"infinity", json, R"({"d":Infinity})", refused},
    {"null for a number that may be absent", json, R"({"d":null})", "{}"},
    {"null for a number of a list", json, R"({"list":[null]})", refused},

    // Texts, names of an enum, keys: an escape is the character that it stands for.
    {"an escaped text", json, R"({"s":"\u0041\n\/\ud83d\ude00"})", R"({"s":"A\n/😀"})"},
    {"a NUL in a text", json, R"({"s":"a\u0000b"})", R"({"s":"a\u0000b"})"},
    {"half a surrogate pair", json, R"({"s":"\ud83d"})", refused},
    {"half a surrogate pair, then another character", json, R"({"s":"\ud83d\u0041"})", refused},
    {"the second half of a pair", json, R"({"s":"\ude00"})", refused},
    {"an escape that there is not", json, R"({"s":"\x41"})", refused},
    {"an escape without its digits", json, R"({"s":"\u00g0"})", refused},
    {"a control character", json, "{\"s\":\"a\x01\"}", refused},
    {"a delete character", json, "{\"s\":\"a\x7f\"}", "{\"s\":\"a\x7f\"}"},
    {"an overlong form", json, "{\"s\":\"\xc0\x80\"}", refused},
    {"a surrogate in UTF-8", json, "{\"s\":\"\xed\xa0\x80\"}", refused},
    {"an escaped name of an enum", json, R"({"color":"\u0067reen"})", R"({"color":"green"})"},
    {"an escaped key", json, R"({"\u0069":5})", R"({"i":5})"},
    {"an escaped key within a required member's object", json, R"({"inner":{"\u0061":5}})", R"({"inner":{"a":5}})"},
    {"an escaped key of a map", json, R"({"map":{"\u0061\"":5}})", R"({"map":{"a\"":5}})"},
    {"a required member that is missing", json, R"({"inner":{"b":5}})", refused},

    // Keys that come twice: the last one counts, as if those before it were not there.
    {"a number twice", json, R"({"i":1,"i":2})", R"({"i":2})"},
    {"a number twice, once escaped", json, R"({"\u0069":1,"i":2,"\u0069":3})", R"({"i":3})"},
    {"a number, then null", json, R"({"i":1,"i":null})", "{}"},
    {"an object twice", json, R"({"inner":{"a":1,"b":2},"inner":{"a":3}})", R"({"inner":{"a":3}})"},
    {"an object without a required member, then a whole one", json, R"({"inner":{"b":2},"inner":{"a":3}})",
     R"({"inner":{"a":3}})"},
    {"a whole object, then one without a required member", json, R"({"inner":{"a":3},"inner":{"b":2}})", refused},
    {"a list twice", json, R"({"list":[1,2,3],"list":[4]})", R"({"list":[4]})"},
    {"a map twice", json, R"({"map":{"a":1,"b":2},"map":{"c":3}})", R"({"map":{"c":3}})"},
    {"a key of a map twice", json, R"({"map":{"a":1,"b":2,"a":3}})", R"({"map":{"a":3,"b":2}})"},
    {"a key of a map twice, the first of another kind", json, R"({"map":{"a":"x","b":2,"a":3}})",
     R"({"map":{"a":3,"b":2}})"},
    {"a key of a map twice, the last of another kind", json, R"({"map":{"a":1,"b":2,"a":"x"}})", refused},
    {"the first of another kind", json, R"({"i":"x","i":2})", R"({"i":2})"},
    {"the last of another kind", json, R"({"i":2,"i":"x"})", refused},

    // What is ignored is well-formed, and nothing more is asked of it.
    {"an unknown member", json, R"({"x":[1,{"i":"no"}],"i":5})", R"({"i":5})"},
    {"a number beyond a double in an unknown member", json, R"({"x":1e400,"i":5})", R"({"i":5})"},
    {"a hundred digits in an unknown member", json,
     R"({"x":[1000000000000000000000000000000000000000000000000000000],"i":5})", R"({"i":5})"},
    {"a control character in an unknown key", json, "{\"x\x01\":1,\"i\":5}", refused},
    {"a line feed in an unknown key", json, "{\"x\n\":1,\"i\":5}", refused},
    {"an escape that there is not in an unknown key", json, R"({"\x41":1,"i":5})", refused},
    {"half a surrogate pair in an unknown key", json, R"({"\ud83d":1,"i":5})", refused},
    {"a key that is not UTF-8", json, "{\"\xff\":1,\"i\":5}", refused},
    {"a control character in an unknown text", json, "{\"x\":\"\x01\",\"i\":5}", refused},
    {"an escape that there is not in an unknown text", json, R"({"x":"\x41","i":5})", refused},
    {"half a surrogate pair in an unknown text", json, R"({"x":"\ud83d","i":5})", refused},
    {"an unknown text that is not UTF-8", json, "{\"x\":\"\xff\",\"i\":5}", refused},
    {"an unknown number with a zero before it", json, R"({"x":01,"i":5})", refused},
    {"an unknown literal that there is not", json, R"({"x":nul,"i":5})", refused},
    {"a missing comma in an unknown list", json, R"({"x":[1 2],"i":5})", refused},
    {"a comma too many in an unknown list", json, R"({"x":[1,],"i":5})", refused},
    {"a comma too many", json, R"({"i":5,})", refused},
    {"a brace for a bracket", json, R"({"x":[1},"i":5})", refused},
    {"a comment", json, R"({"i":5/**/})", refused},

    // The document.
    {"nothing", json, "", refused},
    {"blanks", json, " \t\r\n", refused},
    {"blanks around", json, " \t\r\n{ \"i\" : 5 } \t\r\n", R"({"i":5})"},
    {"a blank that is none in JSON", json, "{\"i\":5}\f", refused},
    {"a byte order mark", json, "\xef\xbb\xbf{\"i\":5}", R"({"i":5})"},
    {"two byte order marks", json, "\xef\xbb\xbf\xef\xbb\xbf{\"i\":5}", refused},
    {"a byte order mark and nothing else", json, "\xef\xbb\xbf", refused},
    {"half a byte order mark", json, "\xef\xbb{\"i\":5}", refused},
    {"a byte order mark at the end", json, "{\"i\":5}\xef\xbb\xbf", refused},
    {"UTF-16", json, "\xfe\xff\0{\0}"sv, refused},
    {"a NUL behind", json, "{\"i\":5}\0"sv, refused},
    {"more behind", json, R"({"i":5}{})", refused},
    {"half a document", json, R"({"i":5)", refused},
    {"another kind", json, R"([])", refused},

    // MessagePack. Unknown members may be what JSON has not.
    {"an integer", messagepack, "\x81\xa1i\x05", R"({"i":5})"},
    {"a natural number in a signed encoding", messagepack, "\x81\xa2u8\xd0\x05", R"({"u8":5})"},
    {"a natural number in a wide signed encoding", messagepack, "\x81\xa3u64\xd3\0\0\0\0\0\0\0\x05"sv, R"({"u64":5})"},
    {"a negative number for an unsigned integer", messagepack, "\x81\xa2u8\xd0\xff", refused},
    {"2.0 for an integer", messagepack, "\x81\xa1i\xcb\x40\0\0\0\0\0\0\0"sv, R"({"i":2})"},
    {"2^60 as a double for 64 bits", messagepack, "\x81\xa3i64\xcb\x43\xb0\0\0\0\0\0\0"sv,
     R"({"i64":1152921504606846976})"},
    {"2^63 as a double for 64 signed bits", messagepack, "\x81\xa3i64\xcb\x43\xe0\0\0\0\0\0\0"sv, refused},
    {"2^63 as a double for 64 unsigned bits", messagepack, "\x81\xa3u64\xcb\x43\xe0\0\0\0\0\0\0"sv,
     R"({"u64":9223372036854775808})"},
    {"2^64 as a double for 64 unsigned bits", messagepack, "\x81\xa3u64\xcb\x43\xf0\0\0\0\0\0\0"sv, refused},
    {"-0.0 for an unsigned integer", messagepack, "\x81\xa2u8\xcb\x80\0\0\0\0\0\0\0"sv, R"({"u8":0})"},
    {"-0.0 for a double", messagepack,
     "\x81\xa1"
     "d\xcb\x80\0\0\0\0\0\0\0"sv,
     R"({"d":-0})"},
    {"NaN for an integer", messagepack, "\x81\xa1i\xcb\x7f\xf8\0\0\0\0\0\0"sv, refused},
    {"a double that rounds to the largest float", messagepack,
     "\x81\xa1"
     "f\xcb\x47\xef\xff\xff\xe5\x4d\xaf\xf8"sv,
     R"({"f":3.4028235e+38})"},
    {"a double beyond the largest float", messagepack,
     "\x81\xa1"
     "f\xcb\x47\xf0\0\0\0\0\0\0"sv,
     refused},
    {"bytes in an unknown member", messagepack, "\x82\xa1x\xc4\x02\x01\xff\xa1i\x05", R"({"i":5})"},
    {"an extension in an unknown member", messagepack, "\x82\xa1x\xd4\x07\x01\xa1i\x05", R"({"i":5})"},
    {"a timestamp in an unknown member", messagepack, "\x82\xa1x\xd6\xff\x65\x00\x00\x01\xa1i\x05"sv, R"({"i":5})"},
    {"NaN in an unknown member", messagepack, "\x82\xa1x\xcb\x7f\xf8\0\0\0\0\0\0\xa1i\x05"sv, R"({"i":5})"},
    {"infinity in an unknown member", messagepack, "\x82\xa1x\xca\x7f\x80\0\0\xa1i\x05"sv, R"({"i":5})"},
    {"bytes for a text", messagepack,
     "\x81\xa1s\xc4\x01"
     "a",
     refused},
    {"a text that is not UTF-8", messagepack, "\x81\xa1s\xa1\xff", refused},
    {"an unknown text that is not UTF-8", messagepack, "\x82\xa1x\xa1\xff\xa1i\x05", refused},
    {"nil for a member that may be absent", messagepack, "\x81\xa1i\xc0", "{}"},
    {"a member twice", messagepack, "\x82\xa1i\x01\xa1i\x02", R"({"i":2})"},
    {"an object twice", messagepack,
     "\x82\xa5inner\x82\xa1"
     "a\x01\xa1"
     "b\x02\xa5inner\x81\xa1"
     "a\x03",
     R"({"inner":{"a":3}})"},
    {"more behind", messagepack, "\x81\xa1i\x05\x05", refused},
    {"half a document", messagepack, "\x82\xa1i\x05", refused},
    {"what MessagePack never uses", messagepack, "\x81\xa1i\xc1", refused},

    // CBOR
    {"an integer", cbor, "\xa1\x61i\x05", R"({"i":5})"},
    {"an integer of eight bytes", cbor, "\xa1\x62u8\x1b\0\0\0\0\0\0\0\x05"sv, R"({"u8":5})"},
    {"2.0 for an integer", cbor, "\xa1\x61i\xf9\x40\0"sv, R"({"i":2})"},
    {"2^60 as a float for 64 bits", cbor, "\xa1\x63i64\xfa\x5d\x80\0\0"sv, R"({"i64":1152921504606846976})"},
    {"bytes in an unknown member", cbor, "\xa2\x61x\x42\x01\xff\x61i\x05", R"({"i":5})"},
    {"NaN in an unknown member", cbor, "\xa2\x61x\xf9\x7e\0\x61i\x05"sv, R"({"i":5})"},
    {"undefined in an unknown member", cbor, "\xa2\x61x\xf7\x61i\x05", R"({"i":5})"},
    {"a date in an unknown member", cbor,
     "\xa2\x61x\xc0\x64"
     "2024\x61i\x05",
     R"({"i":5})"},
    {"seconds in an unknown member", cbor, "\xa2\x61x\xc1\x1a\x65\0\0\0\x61i\x05"sv, R"({"i":5})"},
    {"a large number in an unknown member", cbor, "\xa2\x61x\xc2\x41\x01\x61i\x05", R"({"i":5})"},
    {"a tag around a member", cbor, "\xa1\x61i\xd8\x25\x05", R"({"i":5})"},
    {"a tag around the document", cbor, "\xd9\xd9\xf7\xa1\x61i\x05", R"({"i":5})"},
    {"an unknown simple value", cbor, "\xa2\x61x\xe5\x61i\x05", R"({"i":5})"},
    {"bytes for a text", cbor,
     "\xa1\x61s\x41"
     "a",
     refused},
    {"a text in pieces", cbor,
     "\xa1\x61s\x7f\x61"
     "a\x61"
     "b\xff",
     R"({"s":"ab"})"},
    {"a map without a length", cbor, "\xbf\x61i\x05\xff", R"({"i":5})"},
    {"null for a member that may be absent", cbor, "\xa1\x61i\xf6", "{}"},
    {"a member twice", cbor, "\xa2\x61i\x01\x61i\x02", R"({"i":2})"},
    {"a negative number beyond 64 bits in an unknown member", cbor,
     "\xa2\x61x\x3b\xff\xff\xff\xff\xff\xff\xff\xff\x61i\x05", R"({"i":5})"},
    {"more behind", cbor, "\xa1\x61i\x05\x05", refused},
    {"half a document", cbor, "\xa2\x61i\x05", refused},
};

}  // namespace freshet::testing
