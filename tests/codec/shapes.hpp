// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/codec.hpp>

#include "codec_support.hpp"

// What the standard library has and JSON has not, once for each lane.

namespace shapes {

using namespace std::chrono_literals;

enum class Color { red, green };
FRESHET_ENUM(Color, red, (green, "gruen"));
enum class Level : std::uint8_t { low = 1, high = 255 };

template <class Inner, class Event>
struct Members {
    using Any = std::variant<std::monostate, bool, int, double, Color, std::string, std::vector<int>, Inner>;
};

namespace plain {

struct Inner {
    int a = 0;
};
struct Created {
    std::string id;
};
struct Deleted {
    std::string id;
    std::optional<std::string> reason;
};
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, "type", (Created, "created"), Deleted);

struct Tree {
    int value = 0;
    std::unique_ptr<Tree> left;
    std::shared_ptr<Tree> right;
};

struct Whole {
    std::vector<Members<Inner, Event>::Any> any;
    std::vector<Event> events;
    std::map<int, std::string> by_number;
    std::unordered_map<std::uint64_t, int> by_id;
    std::map<Color, std::map<Level, int>> by_color;
    std::pair<int, std::string> pair;
    std::tuple<int, bool, std::optional<std::string>> tuple;
    std::array<std::pair<int, int>, 2> array;
    std::tuple<> nothing;
    std::vector<std::chrono::nanoseconds> waits;
    std::optional<std::chrono::hours> hours;
    std::vector<std::chrono::system_clock::time_point> times;
    std::optional<std::chrono::sys_days> day;
    Tree tree;
    std::set<std::pair<int, int>> set;
    std::deque<std::map<std::string, std::vector<std::optional<std::pair<int, Color>>>>> deep;
};

}  // namespace plain

namespace fields {

struct Inner {
    int a = 0;
};
FRESHET_JSON(Inner, a);
struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
    std::optional<std::string> reason = {};
};
FRESHET_JSON(Deleted, id, reason);
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, "type", (Created, "created"), Deleted);

struct Tree {
    int value = 0;
    std::unique_ptr<Tree> left = {};
    std::shared_ptr<Tree> right = {};
};
FRESHET_JSON(Tree, value, left, right);

struct Whole {
    std::vector<Members<Inner, Event>::Any> any = {};
    std::vector<Event> events = {};
    std::map<int, std::string> by_number = {};
    std::unordered_map<std::uint64_t, int> by_id = {};
    std::map<Color, std::map<Level, int>> by_color = {};
    std::pair<int, std::string> pair = {};
    std::tuple<int, bool, std::optional<std::string>> tuple = {};
    std::array<std::pair<int, int>, 2> array = {};
    std::tuple<> nothing = {};
    std::vector<std::chrono::nanoseconds> waits = {};
    std::optional<std::chrono::hours> hours = {};
    std::vector<std::chrono::system_clock::time_point> times = {};
    std::optional<std::chrono::sys_days> day = {};
    Tree tree = {};
    std::set<std::pair<int, int>> set = {};
    std::deque<std::map<std::string, std::vector<std::optional<std::pair<int, Color>>>>> deep = {};
};
FRESHET_JSON(Whole, any, events, by_number, by_id, by_color, pair, tuple, array, nothing, waits, hours, times, day,
             tree, set, deep);

}  // namespace fields

inline constexpr const char* whole =
    R"({"any":[null,true,2,2.5,"gruen","x",[1],{"a":3},3e+09],)"
    R"("events":[{"type":"created","id":"1"},{"type":"Deleted","id":"2"},{"type":"Deleted","id":"3","reason":"r"}],)"
    R"("by_number":{"-3":"a","7":"b"},"by_id":{"18446744073709551615":1},"by_color":{"gruen":{"255":1}},)"
    R"("pair":[1,"x"],"tuple":[1,true,null],"array":[[1,2],[3,4]],"nothing":[],)"
    R"("waits":["PT1.500S","-PT0.000000001S","PT0S","PT9223372036.854775807S"],"hours":"PT7200S",)"
    R"("times":["1970-01-01T00:00:00Z","2026-01-31T23:59:59.123456Z","1969-12-31T23:59:59.500Z"],)"
    R"("day":"2024-02-29T00:00:00Z",)"
    R"("tree":{"value":1,"left":{"value":2},"right":{"value":3,"left":{"value":4}}},)"
    R"("set":[[1,2],[3,4]],"deep":[{"k":[[1,"red"],null]}]})";

template <class Whole, class Event, class Inner>
void check() {
    using namespace freshet;
    using namespace freshet::testing;
    const auto value = read<Whole>(whole);
    INFO((value ? "" : value.error().what()));
    REQUIRE(value);
    CHECK(written(*value) == whole);
    for (const Format format : formats) {
        CAPTURE(content_type(format));
        CHECK(written(sent(*value, format)) == whole);
    }
    CHECK(std::get<4>(value->any.at(4)) == Color::green);
    CHECK(std::get<3>(value->any.at(8)) == 3e9);
    CHECK(value->waits.at(0) == 1500ms);
    CHECK(value->hours == 2h);
    CHECK(value->times.at(1).time_since_epoch() == 1769903999123456us);
    CHECK(value->tree.right->left->value == 4);

    CHECK(refusal<Event>(R"({"id":"1"})") == "type: missing");
    CHECK(refusal<Event>(R"({"type":"other","id":"1"})") ==
          R"(type: expected one of "created", "Deleted", got "other")");
    CHECK(refusal<Event>(R"({"type":"created"})") == "id: missing");
    CHECK(read<Event>(R"({"id":"1","type":"created","\u0074ype":"Deleted"})")->index() == 1);
    using Any = std::variant<int, std::string, Inner>;
    CHECK(refusal<Any>("[]") == "expected number or string or object, got array");
    CHECK(refusal<Any>("2.5") == "expected integer, got 2.5");
    CHECK(refusal<Any>("{}") == "a: missing");
    CHECK(refusal<std::pair<int, Inner>>(R"([1,{"a":"x"}])") == "[1].a: expected number, got string");
    CHECK(refusal<std::pair<int, int>>("[1]") == "expected an array of length 2, got length 1");
    CHECK(refusal<std::tuple<int>>("[1,2]") == "expected an array of length 1, got length 2");
    CHECK(refusal<std::map<int, int>>(R"({"x":1})") == "x: expected an integer as key");
    CHECK(refusal<std::map<int, int>>(R"({"01":1})").ends_with("expected an integer as key"));
    CHECK(refusal<std::map<int, int>>(R"({"1.0":1})").ends_with("expected an integer as key"));
    CHECK(refusal<std::map<std::uint8_t, int>>(R"({"256":1})") ==
          "256: 256 does not fit into an 8-bit unsigned integer");
    CHECK(read<std::map<int, int>>("\xa1\x20\x01", "application/cbor")->at(-1) == 1);
    CHECK(read<std::map<int, int>>("\x81\x05\x01", "application/msgpack")->at(5) == 1);
    CHECK(read<std::vector<std::unique_ptr<int>>>("[null,1]")->at(0) == nullptr);
}

}  // namespace shapes
