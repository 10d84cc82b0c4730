// SPDX-License-Identifier: Apache-2.0
// Bodies that are one of several types: a header names it, a token of the subject, or the body itself.
#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>

#include "../testing/both.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using freshet::testing::Both;

namespace shop {

struct Created {
    std::string id = {};
    int amount = 0;
};
FRESHET_JSON(Created, id, amount);
struct Deleted {
    std::string id = {};
    std::string reason = {};
};
FRESHET_JSON(Deleted, id, reason);
struct Sale {
    std::string id = {};
};
FRESHET_JSON(Sale, id);
struct Level {
    long value = 0;
};

using ByName = std::variant<Created, Deleted, std::string>;
FRESHET_VARIANT(ByName, freshet::by_header("type"), (Created, "created"), (Deleted, "deleted"), (std::string, "note"));
using ByToken = std::variant<Created, Sale>;
FRESHET_VARIANT(ByToken, freshet::by_path("kind"), (Sale, "sold"), (Created, "created"));
using ByShape = std::variant<Created, Deleted, Level>;
FRESHET_VARIANT(ByShape, freshet::by_decoding);

using Change = std::variant<Deleted, Sale>;
FRESHET_VARIANT(Change, freshet::by_decoding);
struct Page {
    std::vector<Change> changes = {};
};
FRESHET_JSON(Page, changes);

std::string text_of(const Created& created) { return "created " + created.id; }
std::string text_of(const Deleted& deleted) { return "deleted " + deleted.id + ": " + deleted.reason; }
std::string text_of(const Sale& sale) { return "sold " + sale.id; }
std::string text_of(const Level& level) { return "level " + std::to_string(level.value); }
std::string text_of(const std::string& note) { return "note " + note; }
template <class... Types>
std::string text_of(const std::variant<Types...>& event) {
    return std::visit([](const auto& one) { return text_of(one); }, event);
}

}  // namespace shop

template <>
struct freshet::Codec<shop::Level> {
    static void encode(const shop::Level& level, Buffer& out) { out.append(std::to_string(level.value)); }
    static Expected<void> decode(Bytes in, shop::Level& out) {
        const auto value = FromText<long>::parse(as_text(in));
        if (!value) return failure(Errc::bad_payload, "not a number");
        out.value = *value;
        return {};
    }
};

using namespace freshet;
using namespace shop;

namespace {

PublishOptions typed(std::string type) { return {.headers = {{"type", std::move(type)}}}; }

const js::Stream events{.name = "EVENTS", .subjects = {"events.>"}};

}  // namespace

TEST_CASE_METHOD(Both, "a header names the type of the body") {
    broker.subscriber<"events">().handle([](const ByName& event) { return text_of(event); });
    auto& test = start();
    const auto ask = [&](std::string type, const auto& body) {
        return test.request<std::string>("events", body, {.headers = {{"type", std::move(type)}}});
    };
    CHECK(ask("created", Created{"7", 1}) == "created 7");
    CHECK(ask("deleted", Deleted{"7", "lost"}) == "deleted 7: lost");
    CHECK(ask("note", R"({"id":"7","amount":1})") == R"(note {"id":"7","amount":1})");  // as it is
}

TEST_CASE_METHOD(Both, "a body whose header names no type, or the wrong one, is rejected with the reason") {
    broker.subscriber<"events">().handle([](const ByName& event) { return text_of(event); });
    auto& test = start();
    const auto why = [&](const Headers& headers) {
        const auto answer = test.try_request<std::string>("events", Created{"7", 1}, {.headers = headers});
        return answer ? "" : std::string{answer.error().message()};
    };
    CHECK_THAT(why({}), ContainsSubstring(R"(a message on "events" has no header "type", which names the type of its )"
                                          R"(body; send "created", "deleted" or "note")"));
    CHECK_THAT(why({{"type", "moved"}}),
               ContainsSubstring(R"(the header "type" of a message on "events" names the type of its body "moved")"));
    CHECK_THAT(why({{"type", "deleted"}}), ContainsSubstring("reason: missing"));
    CHECK(test.publish("events", Created{"7", 1}, typed("moved")) == Outcome::term());
}

TEST_CASE_METHOD(Both, "a token of the subject names the type of the body") {
    broker.subscriber<"events.{region}.{kind}">().handle([](Path<"region"> region, const ByToken& event) {
        return std::string{*region} + " " + text_of(event);
    });
    auto& test = start();
    CHECK(test.request<std::string>("events.eu.sold", Created{"7", 1}) == "eu sold 7");
    CHECK(test.request<std::string>("events.us.created", Created{"7", 1}) == "us created 7");
    const auto moved = test.try_request<std::string>("events.us.moved", Created{"7", 1});
    REQUIRE_FALSE(moved);
    CHECK_THAT(std::string{moved.error().message()},
               ContainsSubstring(R"(the token "moved" for {kind} in subject "events.us.moved" names no type of the )"
                                 R"(body; send "sold" or "created")"));
}

TEST_CASE_METHOD(Both, "a subject that is known at run time must have the token that names the type") {
    broker.subscriber("events.{type}").handle([](const ByToken&) {});
    CHECK_THROWS_MATCHES(start(), Error,
                         MessageMatches(ContainsSubstring("by_path(\"kind\"), but the subject has no {kind}")));
}

TEST_CASE_METHOD(Both, "the first alternative that decodes is the body") {
    broker.subscriber<"events">().handle([](const ByShape& event) { return text_of(event); });
    auto& test = start();
    CHECK(test.request<std::string>("events", Created{"7", 1}) == "created 7");
    CHECK(test.request<std::string>("events", Deleted{"7", "lost"}) == "deleted 7: lost");
    CHECK(test.request<std::string>("events", Level{42}) == "level 42");
    CHECK(test.request<std::string>("events", ByShape{Deleted{"8", "old"}}) == "deleted 8: old");
    CHECK(test.request<std::string>("events", Deleted{"7", "lost"}, {.format = Format::cbor}) == "deleted 7: lost");
    const auto none = test.try_request<std::string>("events", Sale{"7"});
    REQUIRE_FALSE(none);
    CHECK_THAT(std::string{none.error().message()},
               ContainsSubstring("the body is none of shop::Created (amount: missing), shop::Deleted (reason: "
                                 "missing), shop::Level (not a number)"));
}

TEST_CASE("a field may be the first alternative that decodes") {
    const auto message = Message::make("pages", as_bytes(R"({"changes":[{"id":"1"},{"id":"2","reason":"x"}]})"), {});
    std::string all;
    for (const auto& change : decode<Page>(message).changes) all += text_of(change) + "; ";
    CHECK(all == "sold 1; deleted 2: x; ");
}

TEST_CASE_METHOD(Both, "messages of a stream are of several types: pulled, pushed and in batches") {
    broker.subscriber<"events.{kind}">(js::Pull{.stream = events, .durable = "pull"}).handle([&](const ByToken& event) {
        log.logger()->info("pulled {}", text_of(event));
    });
    broker.subscriber<"events.{kind}">(js::Push{.stream = events, .durable = "push"}).handle([&](const ByName& event) {
        log.logger()->info("pushed {}", text_of(event));
    });
    broker
        .subscriber<"events.{kind}">(js::Pull{
            .stream = events, .durable = "batches", .batch = {.size = 2, .within = 100ms}})
        .handle([&](std::span<const ByToken> batch) {
            for (const auto& one : batch) log.logger()->info("batch {}", text_of(one));
        });
    broker
        .subscriber<"events.{kind}">(js::Pull{
            .stream = events, .durable = "named", .batch = {.size = 2, .within = 100ms}})
        .handle([&](std::span<const ByName> batch) {
            for (const auto& one : batch) log.logger()->info("named {}", text_of(one));
        });
    auto& test = start();
    test.publish("events.sold", Deleted{"1", "x"}, typed("deleted"));
    test.publish("events.created", Created{"2", 1}, typed("created"));
    test.publish("events.moved", Sale{"3"}, typed("sold"));  // of no type
    const std::vector<std::string> lines{"pulled sold 1", "pulled created 2", "pushed deleted 1: x", "pushed created 2",
                                         "batch sold 1",  "batch created 2",  "named deleted 1: x",  "named created 2"};
    for (const auto& line : lines) {
        INFO(line);
        CHECK(pass_until([&] { return !log.find(line).empty(); }));
    }
    CHECK(pass_until([&] {
        return std::ranges::all_of(broker.jetstream().consumers("EVENTS"),
                                   [](const auto& one) { return one.pending + one.ack_pending == 0; });
    }));
}

TEST_CASE("a message that a program reads itself, and what a test captures") {
    const auto message = Message::make("events", as_bytes(R"({"id":"7","reason":"x"})"), {{"type", "deleted"}});
    CHECK(text_of(decode<ByName>(message)) == "deleted 7: x");
    CHECK(text_of(decode<ByShape>(message)) == "deleted 7: x");
    const testing::CapturedMessage captured{.subject = "events", .body = "7", .headers = {{"type", "note"}}};
    CHECK(text_of(captured.as<ByName>()) == "note 7");
    CHECK_THROWS_AS(decode<ByName>(Message::make("events", as_bytes("{}"), {})), Error);
}
