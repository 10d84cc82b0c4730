// SPDX-License-Identifier: Apache-2.0
// The code of docs/codecs.md.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>
#include <freshet/testing.hpp>

#include "support.hpp"

using snippets::message_of;
using snippets::shown;

namespace shop {

// [json]
enum class Status { open, in_progress };
FRESHET_ENUM(Status, open, (in_progress, "in-progress"));

struct Line {
    std::string article = {};
    int quantity = 1;
};
FRESHET_JSON(Line, article, (quantity, or_default));

struct Order {
    std::string customer_id = {};
    Status status = Status::open;
    std::optional<std::string> note = {};
    std::vector<Line> lines = {};
};
FRESHET_JSON(Order, (customer_id, "customerId"), status, note, lines);
// [json]

// [partial]
struct Session {
    std::string user = {};
    int requests = 0;
    std::string cached_page = {};  // stays here
};
FRESHET_JSON_PARTIAL(Session, user, requests);
// [partial]

struct Created {
    std::string id = {};
};
FRESHET_JSON(Created, id);
struct Deleted {
    std::string id = {};
};
FRESHET_JSON(Deleted, id);

// [variant]
using Event = std::variant<Created, Deleted>;
FRESHET_VARIANT(Event, "type", (Created, "created"), (Deleted, "deleted"));
// [variant]

struct Moved {
    std::string id = {};
    std::string to = {};
};
FRESHET_JSON(Moved, id, to);

// [by-header]
using Notice = std::variant<Created, Moved>;
FRESHET_VARIANT(Notice, freshet::by_header("type"), (Created, "created"), (Moved, "moved"));
// [by-header]

// [by-others]
using Change = std::variant<Moved, Deleted>;
FRESHET_VARIANT(Change, freshet::by_path("kind"), (Moved, "moved"), (Deleted, "deleted"));

using Anything = std::variant<Moved, Created>;
FRESHET_VARIANT(Anything, freshet::by_decoding);  // a Moved has all that a Created has, so it stands first
// [by-others]

}  // namespace shop

// [own]
struct Money {
    long cents = 0;
};

template <>
struct freshet::Codec<Money> {
    static constexpr std::string_view content_type = "text/plain";
    static void encode(const Money& value, Buffer& out) { out.append(std::to_string(value.cents)); }
    static Expected<void> decode(Bytes in, Money& out) {
        const auto cents = FromText<long>::parse(as_text(in));
        if (!cents) return failure(Errc::bad_payload, "not a number of cents");
        out.cents = *cents;
        return {};
    }
};
// [own]

// [csv]
struct Item {
    std::string name = {};
    int count = 0;
};
FRESHET_JSON(Item, name, count);

struct Csv {
    static constexpr std::string_view content_type = "text/csv";
    static void encode(const Item& item, freshet::Buffer& out) {
        out.append(item.name + ";" + std::to_string(item.count));
    }
    static freshet::Expected<void> decode(freshet::Bytes in, Item& out) {
        const auto line = freshet::as_text(in);
        const auto semicolon = std::min(line.find(';'), line.size());
        const auto count = freshet::FromText<int>::parse(line.substr(std::min(semicolon + 1, line.size())));
        if (!count) return freshet::failure(freshet::Errc::bad_payload, "not a line NAME;COUNT");
        out = {std::string{line.substr(0, semicolon)}, *count};
        return {};
    }
};
// [csv]

// [json-as]
class Price {
public:
    Price() = default;
    explicit Price(long cents) : cents_{cents} {}
    long cents() const { return cents_; }

private:
    long cents_ = 0;
};

template <>
struct freshet::JsonAs<Price> {
    static std::string encode(const Price& price) {
        return std::to_string(price.cents() / 100) + "." + std::to_string(price.cents() % 100 + 100).substr(1);
    }
    static freshet::Expected<Price> decode(const std::string& text) {
        const auto point = text.find('.');
        const auto whole = freshet::FromText<long>::parse(text.substr(0, point));
        if (!whole || text.size() != point + 3) return freshet::failure(freshet::Errc::bad_payload, "not a price");
        return Price{*whole * 100 + std::stol(text.substr(point + 1))};
    }
};

struct Offer {
    std::string article = {};
    Price price = {};
    std::vector<Price> earlier = {};
};
FRESHET_JSON(Offer, article, price, earlier);
// [json-as]

// [declare]
// invoice.hpp
struct Invoice {
    std::string order_id = {};
    double total = 0;
};
FRESHET_CODEC_DECLARE(Invoice);
// [declare]

// [define]
// invoice.cpp
FRESHET_JSON(Invoice, order_id, total);
FRESHET_CODEC_DEFINE(Invoice);
// [define]

namespace {

template <class T>
std::string json(const T& value) {
    freshet::Buffer buffer;
    freshet::detail::encode_body(value, freshet::Format::json, buffer);
    return std::string{buffer.text()};
}

template <class T>
T from(std::string_view text, const freshet::Headers& headers = {}) {
    return freshet::decode<T>(freshet::Message::make("orders", freshet::as_bytes(text), headers));
}

}  // namespace

TEST_CASE("fields, names, defaults and optionals") {
    const auto order = from<shop::Order>(
        R"({"customerId": "c1", "status": "in-progress", "lines": [{"article": "bolt"}], "unknown": 1})");
    CHECK(order.customer_id == "c1");
    CHECK(order.status == shop::Status::in_progress);
    CHECK_FALSE(order.note);
    CHECK(order.lines.at(0).quantity == 1);
    CHECK(json(order) == R"({"customerId":"c1","status":"in-progress","lines":[{"article":"bolt","quantity":1}]})");
}

TEST_CASE("an error says where") {
    CHECK(message_of([] {
              from<shop::Order>(
                  R"({"customerId": "c1", "status": "open", "lines": [{"article": "bolt", "quantity": "x"}]})");
          }) == shown(R"(
// [error]
lines[0].quantity: expected number, got string
// [error]
)"));
    CHECK(message_of([] { from<shop::Order>(R"({"status": "open", "lines": []})"); }) == shown(R"(
// [missing]
customerId: missing
// [missing]
)"));
}

TEST_CASE("members that are not to travel") {
    const shop::Session session{.user = "ann", .requests = 3, .cached_page = "<html>"};
    freshet::Buffer out;
    freshet::detail::encode_body(session, freshet::Format::json, out);
    CHECK(out.text() == R"({"user":"ann","requests":3})");
}

TEST_CASE("a member names the alternative of a variant") {
    CHECK(json(shop::Event{shop::Created{"7"}}) == R"({"type":"created","id":"7"})");
    CHECK(from<shop::Event>(R"({"id":"7","type":"deleted"})").index() == 1);
}

TEST_CASE("a codec of one's own, and one that is compiled elsewhere") {
    CHECK(from<Money>("150").cents == 150);
    CHECK(json(Money{150}) == "150");
    CHECK(json(Invoice{"a1", 12}) == R"({"order_id":"a1","total":12})");
    CHECK(from<Invoice>(json(Invoice{"a1", 12})).total == 12);
}

TEST_CASE("the content type chooses the format") {
    freshet::Buffer buffer;
    CHECK(freshet::detail::encode_body(shop::Line{"nut", 3}, freshet::Format::cbor, buffer) == "application/cbor");
    CHECK(from<shop::Line>(buffer.text(), {{"content-type", "application/cbor"}}).quantity == 3);
    CHECK_THROWS_AS(from<shop::Line>("{}", {{"content-type", "text/csv"}}), freshet::Error);
}

TEST_CASE("a body that is one of several types") {
    std::vector<std::string> seen;
    const auto see = [&](const auto& one) { seen.push_back(one.id); };
    freshet::Broker broker;
    // [by-handler]
    broker.subscriber<"notices">().handle([&](const shop::Notice& notice) {
        if (const auto* moved = std::get_if<shop::Moved>(&notice)) seen.push_back(moved->id + " to " + moved->to);
        else seen.push_back("new: " + std::get<shop::Created>(notice).id);
    });
    broker.subscriber<"orders.{kind}">().handle([&](const shop::Change& change) { std::visit(see, change); });
    // [by-handler]
    broker.subscriber<"anything">().handle([&](const shop::Anything& one) { std::visit(see, one); });
    freshet::testing::TestBroker test{broker};
    // [by-publish]
    test.publish("notices", shop::Moved{"7", "Oslo"}, {.headers = {{"type", "moved"}}});
    // [by-publish]
    test.publish("notices", shop::Created{"8"}, {.headers = {{"type", "created"}}});
    test.publish("orders.deleted", shop::Deleted{"9"});
    test.publish("anything", shop::Moved{"10", "Rome"});
    CHECK(seen == std::vector<std::string>{"7 to Oslo", "new: 8", "9", "10"});
}

TEST_CASE("a codec for one subscriber") {
    freshet::Broker broker;
    // [subscriber-codec]
    broker.subscriber<"shop.items">().handle([](const Item& item) { return Item{item.name, item.count + 1}; });
    broker.subscriber<"old.items">().codec<Csv>().handle(  // the same type, as the old system sends it
        [](const Item& item) { return Item{item.name, item.count + 1}; });
    auto to_old = broker.publisher<Item, "old.stock">().codec<Csv>();
    // [subscriber-codec]
    freshet::testing::TestBroker test{broker};
    CHECK(test.request<Item>("shop.items", Item{"nail", 1}).count == 2);
    CHECK(test.request<std::string>("old.items", "nail;1") == "nail;2");
    to_old.publish({"nail", 3});
    broker.publish("old.stock", freshet::coded<Csv>(Item{"nail", 4}));
    test.run();
    CHECK(test.published("old.stock").at(0).body == "nail;3");
    CHECK(test.published("old.stock").at(1).body == "nail;4");
}

TEST_CASE("a type that travels as another one") {
    freshet::Broker broker;
    broker.subscriber<"offers">().handle([](const Offer& offer) { return offer; });
    freshet::testing::TestBroker test{broker};
    const Offer offer{"nail", Price{1250}, {Price{1399}}};
    CHECK(test.request<std::string>("offers", offer) == shown(R"(
// [json-as-text]
{"article":"nail","price":"12.50","earlier":["13.99"]}
// [json-as-text]
)"));
    const auto refused = test.try_request<Offer>("offers", R"({"article":"nail","price":"1","earlier":[]})");
    CHECK(std::string{refused.error().what()}.ends_with(shown(R"(
// [json-as-error]
price: not a price
// [json-as-error]
)")));
}
