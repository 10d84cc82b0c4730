// SPDX-License-Identifier: Apache-2.0
// What a change means to those who send and to those who receive: a table of cases.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/diff.hpp>
#include <freshet/freshet.hpp>

using namespace freshet;

namespace {

/// A description of one operation with one message of this schema.
Description with_schema(const std::string& schema, OperationDescription::Kind kind) {
    Description one;
    one.channels = {{.name = "a", .address = "a", .subject = "a", .messages = {"M"}}};
    one.operations = {{.id = "op", .kind = kind, .channel = "a", .messages = {"M"}}};
    one.messages = {
        {.name = "M", .type = "M", .body = MessageDescription::Body::typed, .schema = R"({"$ref":"#/definitions/M"})"}};
    one.schemas = {{"M", schema}};
    return one;
}

struct Case {
    const char* name;
    const char* before;
    const char* after;
    Impact consumer;
    Impact producer;
};

constexpr auto safe = Impact::safe;
constexpr auto look = Impact::look;
constexpr auto breaking = Impact::breaking;

#define MEMBER(schema) R"({"type":"object","properties":{"x":)" schema R"(},"required":["x"]})"

const Case cases[] = {
    {"nothing", MEMBER(R"({"type":"integer"})"), MEMBER(R"({"type":"integer"})"), safe, safe},
    {"a new optional member", R"({"type":"object"})", R"({"type":"object","properties":{"x":{"type":"integer"}}})",
     safe, safe},
    {"a new required member", R"({"type":"object"})", MEMBER(R"({"type":"integer"})"), safe, breaking},
    {"a required member is gone", MEMBER(R"({"type":"integer"})"), R"({"type":"object"})", breaking, safe},
    {"an optional member is gone", R"({"type":"object","properties":{"x":{"type":"integer"}}})", R"({"type":"object"})",
     look, safe},
    {"required becomes optional", MEMBER(R"({"type":"integer"})"),
     R"({"type":"object","properties":{"x":{"type":"integer"}}})", breaking, safe},
    {"optional becomes required", R"({"type":"object","properties":{"x":{"type":"integer"}}})",
     MEMBER(R"({"type":"integer"})"), safe, breaking},
    {"integer becomes number", MEMBER(R"({"type":"integer"})"), MEMBER(R"({"type":"number"})"), breaking, safe},
    {"number becomes integer", MEMBER(R"({"type":"number"})"), MEMBER(R"({"type":"integer"})"), safe, breaking},
    {"integer becomes string", MEMBER(R"({"type":"integer"})"), MEMBER(R"({"type":"string"})"), breaking, breaking},
    {"another default", MEMBER(R"({"type":"integer","default":1})"), MEMBER(R"({"type":"integer","default":2})"), look,
     look},
    {"null is allowed", MEMBER(R"({"type":"string"})"), MEMBER(R"({"type":["string","null"]})"), breaking, safe},
    {"null is not allowed", MEMBER(R"({"type":["string","null"]})"), MEMBER(R"({"type":"string"})"), safe, breaking},
    {"null is allowed for a named type", MEMBER(R"({"$ref":"#/definitions/M"})"),
     MEMBER(R"({"anyOf":[{"$ref":"#/definitions/M"},{"type":"null"}]})"), breaking, safe},
    {"a wider range", MEMBER(R"({"type":"integer","maximum":127})"), MEMBER(R"({"type":"integer","maximum":32767})"),
     breaking, safe},
    {"a narrower range", MEMBER(R"({"type":"integer","minimum":-5})"), MEMBER(R"({"type":"integer","minimum":0})"),
     safe, breaking},
    {"a new limit", MEMBER(R"({"type":"string"})"), MEMBER(R"({"type":"string","maxLength":5})"), safe, breaking},
    {"a limit is gone", MEMBER(R"({"type":"string","minLength":1})"), MEMBER(R"({"type":"string"})"), breaking, safe},
    {"a new value", MEMBER(R"({"type":"string","enum":["a"]})"), MEMBER(R"({"type":"string","enum":["a","b"]})"),
     breaking, safe},
    {"a value is gone", MEMBER(R"({"type":"string","enum":["a","b"]})"), MEMBER(R"({"type":"string","enum":["a"]})"),
     safe, breaking},
    {"another pattern", MEMBER(R"({"type":"string","pattern":"a"})"), MEMBER(R"({"type":"string","pattern":"b"})"),
     look, look},
    {"another format", MEMBER(R"({"type":"string","format":"a"})"), MEMBER(R"({"type":"string","format":"b"})"), look,
     look},
    {"another description", MEMBER(R"({"type":"string","description":"a"})"),
     MEMBER(R"({"type":"string","description":"b","examples":["x"]})"), safe, safe},
    {"elements", R"({"type":"array","items":{"type":"integer"}})", R"({"type":"array","items":{"type":"number"}})",
     breaking, safe},
    {"values of a map", R"({"type":"object","additionalProperties":{"type":"number"}})",
     R"({"type":"object","additionalProperties":{"type":"integer"}})", safe, breaking},
    {"a new alternative", MEMBER(R"({"anyOf":[{"type":"string"},{"type":"boolean"}]})"),
     MEMBER(R"({"anyOf":[{"type":"string"},{"type":"boolean"},{"type":"integer"}]})"), breaking, safe},
    {"an alternative is gone", MEMBER(R"({"oneOf":[{"type":"string"},{"type":"boolean"},{"type":"integer"}]})"),
     MEMBER(R"({"oneOf":[{"type":"string"},{"type":"boolean"}]})"), safe, breaking},
};

Impact worst(const std::vector<Change>& changes, Impact Change::* verdict) {
    auto most = Impact::safe;
    for (const auto& change : changes) most = std::max(most, change.*verdict);
    return most;
}

}  // namespace

TEST_CASE("a change of a schema is safe or breaking, for a consumer and for a producer") {
    for (const auto& one : cases) {
        INFO(one.name);
        using Kind = OperationDescription::Kind;
        const auto received = diff(with_schema(one.before, Kind::receive), with_schema(one.after, Kind::receive));
        CHECK(worst(received, &Change::consumer) == one.consumer);
        CHECK(worst(received, &Change::producer) == one.producer);
        CHECK(worst(received, &Change::impact) == one.producer);  // others produce what is received
        const auto sent = diff(with_schema(one.before, Kind::publish), with_schema(one.after, Kind::publish));
        CHECK(worst(sent, &Change::impact) == one.consumer);
        CHECK(breaks(sent) == (one.consumer == breaking));
    }
}

namespace v1 {
struct Order {
    std::string id = {};
};
FRESHET_JSON(Order, id);
}  // namespace v1

namespace {

template <class Wire>
Description described(Wire wire) {
    Broker broker{{.servers = {"nats://localhost:4222"}, .name = "x"}};
    wire(broker);
    return broker.describe();
}

struct ServiceCase {
    const char* name;
    void (*before)(Broker& broker);
    void (*after)(Broker& broker);
    Impact impact;
    const char* what;  // in one of the changes
};

void nothing(Broker&) {}
void receives(Broker& broker) {
    broker.subscriber<"orders.{id}">().handle([](const v1::Order&) {});
}

const ServiceCase services[] = {
    {"the same", receives, receives, safe, ""},
    {"an operation is new", nothing, receives, safe, "is new"},
    {"an operation is gone", receives, nothing, breaking, "nobody handles these messages any more"},
    {"a subject is renamed", receives, [](Broker& b) { b.subscriber<"order.{id}">().handle([](const v1::Order&) {}); },
     breaking, "perhaps renamed to order.{id}"},
    {"a parameter is renamed", receives,
     [](Broker& b) { b.subscriber<"orders.{number}">().handle([](const v1::Order&) {}); }, safe,
     "is written orders.{number} now"},
    {"a parameter is a number", receives,
     [](Broker& b) { b.subscriber<"orders.{id}">().handle([](const v1::Order&, Path<"id", int>) {}); }, breaking,
     "was string, is integer"},
    {"another queue group", receives,
     [](Broker& b) { b.subscriber<"orders.{id}">({.queue = "q"}).handle([](const v1::Order&) {}); }, look,
     "the queue group was"},
    {"an answer is new", receives,
     [](Broker& b) { b.subscriber<"orders.{id}">().handle([](const v1::Order& o) { return o; }); }, safe, "is new"},
    {"an answer is gone", [](Broker& b) { b.subscriber<"orders.{id}">().handle([](const v1::Order& o) { return o; }); },
     receives, breaking, "is gone"},
    {"an answer may be absent",
     [](Broker& b) { b.subscriber<"orders.{id}">().handle([](const v1::Order& o) { return o; }); },
     [](Broker& b) {
         b.subscriber<"orders.{id}">().handle([](const v1::Order& o) { return std::optional<v1::Order>{o}; });
     },
     breaking, "may be absent now"},
    {"a header is needed", receives,
     [](Broker& b) { b.subscriber<"orders.{id}">().handle([](const v1::Order&, Header<"tenant">) {}); }, breaking,
     "is new, and required"},
    {"an optional header", receives,
     [](Broker& b) {
         b.subscriber<"orders.{id}">().handle([](const v1::Order&, Header<"tenant", std::optional<int>>) {});
     },
     safe, "is new"},
    {"deprecated", receives,
     [](Broker& b) { b.subscriber<"orders.{id}">({.about = {.deprecated = true}}).handle([](const v1::Order&) {}); },
     safe, "is deprecated now"},
    {"a publication is gone", [](Broker& b) { b.publisher<v1::Order, "made">(); }, nothing, breaking,
     "not sent any more"},
    {"another format", [](Broker& b) { b.publisher<v1::Order, "made">(); },
     [](Broker& b) { b.publisher<v1::Order, "made">({.format = Format::cbor}); }, breaking, "the content type was"},
    {"a remote function is new", nothing, [](Broker& b) { b.client<v1::Order()>("x"); }, look, "somebody must answer"},
};

}  // namespace

TEST_CASE("a change of a service is safe, breaking or to be looked at") {
    for (const auto& one : services) {
        INFO(one.name);
        const auto changes = diff(described(one.before), described(one.after));
        std::string all;
        for (const auto& change : changes)
            all += std::string{to_string(change.impact)} + ": " + change.where + ": " + change.what + '\n';
        INFO(all);
        CHECK(worst(changes, &Change::impact) == one.impact);
        CHECK(all.find(one.what) != std::string::npos);
    }
}
