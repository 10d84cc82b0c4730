// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

#include "codec_declared.hpp"
#include "codec_support.hpp"
#include "json_types.hpp"

using namespace freshet;
using namespace freshet::testing;

namespace {

struct Plain {
    int number = 0;
};

struct Declared {
    int number = 0;
    bool operator==(const Declared&) const = default;
};
FRESHET_JSON(Declared, number);

// Each has fields as well: the specialisation is what counts.
struct Reversed {
    std::string text = {};
};
FRESHET_JSON(Reversed, text);

struct ByFormat {
    int number = 0;
};
FRESHET_JSON(ByFormat, number);

struct ReadOnly {
    std::string text = {};
};
FRESHET_JSON(ReadOnly, text);

struct Thrower {
    int what = 0;
};

}  // namespace

template <>
struct freshet::Codec<Reversed> {
    static constexpr std::string_view content_type = "text/reversed";
    static void encode(const Reversed& value, Buffer& out) {
        out.append(std::string{value.text.rbegin(), value.text.rend()});
    }
    static Expected<void> decode(Bytes in, Reversed& out) {
        if (in.empty()) return failure(Errc::bad_payload, "nothing to reverse");
        const auto text = as_text(in);
        out.text.assign(text.rbegin(), text.rend());
        return {};
    }
};

template <>
struct freshet::Codec<ByFormat> {
    static void encode(const ByFormat& value, Format format, Buffer& out) {
        out.append(std::to_string(value.number) + " as " + std::string{content_type(format)});
    }
    static Expected<void> decode(Bytes in, Format format, ByFormat& out) {
        out.number = static_cast<int>(in.size()) + 100 * static_cast<int>(format);
        return {};
    }
};

template <>
struct freshet::Codec<ReadOnly> {
    static Expected<void> decode(Bytes in, ReadOnly& out) {
        out.text = as_text(in);
        return {};
    }
};

template <>
struct freshet::Codec<Thrower> {
    static Expected<void> decode(Bytes in, Thrower& out) {
        if (as_text(in) == "std") throw std::runtime_error{"the parser gave up"};
        if (as_text(in) == "own") throw Error{Errc::missing_header, "a header is missing"};
        if (as_text(in) == "int") throw 1;
        out.what = 1;
        return {};
    }
};

TEST_CASE("which types have a codec is known at compile time") {
    STATIC_CHECK(Encodable<std::string>);
    STATIC_CHECK(Encodable<std::string_view>);
    STATIC_CHECK(Encodable<const char*>);
    STATIC_CHECK(Encodable<char[6]>);
    STATIC_CHECK(Encodable<Bytes>);
    STATIC_CHECK(Encodable<std::vector<std::byte>>);
    STATIC_CHECK(Decodable<std::string>);
    STATIC_CHECK(Decodable<std::string_view>);
    STATIC_CHECK(Decodable<Bytes>);
    STATIC_CHECK_FALSE(Decodable<const char*>);

    STATIC_CHECK(Encodable<int>);
    STATIC_CHECK(Decodable<std::vector<Declared>>);
    STATIC_CHECK(Encodable<std::vector<std::string_view>>);
    STATIC_CHECK_FALSE(Decodable<std::vector<std::string_view>>);
    STATIC_CHECK_FALSE(Encodable<Plain>);
    STATIC_CHECK_FALSE(Decodable<std::vector<Plain>>);
    STATIC_CHECK_FALSE(Encodable<int*>);
    STATIC_CHECK_FALSE(Encodable<char>);
    STATIC_CHECK_FALSE(Encodable<std::nullptr_t>);
}

TEST_CASE("a specialisation for one direction is not completed from the fields") {
    STATIC_CHECK(Decodable<ReadOnly>);
    STATIC_CHECK_FALSE(Encodable<ReadOnly>);
    CHECK(read<ReadOnly>("{}")->text == "{}");
}

TEST_CASE("text and bytes are sent as they are, without a content type") {
    Buffer out;
    CHECK(detail::encode_body(std::string{"a\0b", 3}, Format::cbor, out).empty());
    CHECK(detail::encode_body("cd", Format::json, out).empty());
    const std::vector<std::byte> bytes(2, std::byte{0xff});
    CHECK(detail::encode_body(bytes, Format::json, out).empty());
    CHECK(detail::encode_body(Bytes{bytes}, Format::json, out).empty());
    CHECK(out.string() == std::string("a\0bcd\xff\xff\xff\xff", 9));
}

TEST_CASE("text and bytes are received as they are, whatever the content type") {
    const std::string_view body{"\xff\0x", 3};
    CHECK(read<std::string>(body, "image/png") == body);
    CHECK(read<std::string>("") == "");
    const auto view = read<std::string_view>(body, "application/json");
    CHECK(view->data() == body.data());
    CHECK(view->size() == body.size());
    CHECK(read<Bytes>(body)->size() == 3);
    CHECK(read<std::vector<std::byte>>(body)->at(0) == std::byte{0xff});
}

TEST_CASE("the user's codec wins over the fields and names its content type") {
    Buffer out;
    CHECK(detail::encode_body(Reversed{"abc"}, Format::cbor, out) == "text/reversed");
    CHECK(out.text() == "cba");
    CHECK(read<Reversed>("cba", "anything")->text == "abc");
    CHECK(refusal<Reversed>("") == "nothing to reverse");
}

TEST_CASE("the user's codec for formats gets the format") {
    Buffer out;
    CHECK(detail::encode_body(ByFormat{7}, Format::messagepack, out) == "application/msgpack");
    CHECK(out.text() == "7 as application/msgpack");
    CHECK(read<ByFormat>("12345", "application/cbor")->number == 205);
    CHECK(read<ByFormat>("12345")->number == 5);
    CHECK(refusal<ByFormat>("1", "text/plain")
              .starts_with("content-type \"text/plain\" is not JSON, MessagePack or CBOR"));
}

TEST_CASE("what a user's codec throws becomes an error value") {
    CHECK(refusal<Thrower>("std") == "the parser gave up");
    CHECK(refusal<Thrower>("own") == "a header is missing");
    CHECK(refusal<Thrower>("int") == "an exception that is not a std::exception");
    CHECK(read<Thrower>("no")->what == 1);
}

TEST_CASE("a declared codec is compiled in another translation unit") {
    const declared::Reading reading{"s1", 2.5};
    for (const Format format : formats) CHECK(sent(reading, format) == reading);
    CHECK(written(reading) == R"({"sensor":"s1","value":2.5})");
    CHECK(refusal<declared::Reading>("{}") == "sensor: missing");
}

TEST_CASE("a message is decoded by its content type") {
    const auto cbor = written(Declared{7}, Format::cbor);
    const auto message = Message::make("numbers", as_bytes(cbor), {{"content-type", "application/cbor"}});
    CHECK(decode<Declared>(message) == Declared{7});
    CHECK(decode<std::string>(message) == cbor);

    const auto json = Message::make("numbers", as_bytes(R"({"number":8})"));
    CHECK(try_decode<Declared>(json) == Declared{8});
    const auto bad = Message::make("numbers", as_bytes("{}"));
    CHECK_FALSE(try_decode<Declared>(bad));
    CHECK_THROWS_AS(decode<Declared>(bad), Error);
}

TEST_CASE("bodies are read and written by many threads at once") {
    std::array<bool, 4> right{};
    {
        std::vector<std::jthread> threads;
        threads.reserve(right.size());
        for (std::size_t i = 0; i < right.size(); ++i) {
            threads.emplace_back([&right, i] {
                const shop::Order order{.id = std::to_string(i), .amount = 1, .lines = {{"x", static_cast<int>(i), 2}}};
                right[i] = true;
                for (int round = 0; round < 200; ++round) {
                    for (const Format format : formats) right[i] = right[i] && sent(order, format) == order;
                    right[i] = right[i] && refusal<shop::Order>("{}") == "id: missing";
                }
            });
        }
    }
    CHECK(right == std::array{true, true, true, true});
}
