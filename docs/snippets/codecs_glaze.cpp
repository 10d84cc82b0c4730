// SPDX-License-Identifier: Apache-2.0
// The code of docs/codecs.md that needs freshet::glaze.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/freshet.hpp>

#include "support.hpp"

using snippets::message_of;
using snippets::shown;

namespace shop {

// [glaze]
struct Line {
    std::string article;
    int quantity = 1;
};

struct Basket {
    std::string customer;
    std::vector<Line> lines;
    std::optional<std::string> coupon;
};
// [glaze]

}  // namespace shop

TEST_CASE("aggregates are bodies without a macro") {
    const shop::Basket basket{.customer = "c7", .lines = {{"nail", 100}}, .coupon = {}};
    const freshet::detail::BufferLease buffer;
    freshet::detail::encode_body(basket, freshet::Format::json, *buffer);
    CHECK(buffer->text() == shown(R"(
// [glaze-text]
{"customer":"c7","lines":[{"article":"nail","quantity":100}]}
// [glaze-text]
)"));
    const auto decode = [](std::string_view text) {
        return freshet::decode<shop::Basket>(freshet::Message::make("baskets", freshet::as_bytes(text)));
    };
    CHECK(decode(buffer->text()).lines.at(0).quantity == 100);
    CHECK(message_of([&] { decode(R"({"customer":"c7","lines":[{"article":1,"quantity":1}]})"); }) == shown(R"(
// [glaze-error]
lines[0].article: expected string, got number
// [glaze-error]
)"));
}
