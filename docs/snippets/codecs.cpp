// SPDX-License-Identifier: Apache-2.0
// The code of docs/codecs.md.
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

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
