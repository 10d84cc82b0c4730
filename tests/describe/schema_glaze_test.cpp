// SPDX-License-Identifier: Apache-2.0
// An aggregate under glaze has the schema that it would have with FRESHET_JSON.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <freshet/describe.hpp>
#include <freshet/freshet.hpp>

enum class Color { red, green };
FRESHET_ENUM(Color, red, green);

namespace plain {

struct Line {
    std::string sku;
    std::uint8_t quantity = 1;
};
struct Order {
    std::string id;
    std::vector<Line> lines;
    std::optional<Line> gift;
    std::unique_ptr<Order> next;
    std::map<int, double> prices;
    std::variant<bool, std::string> any;
    Color color = Color::red;
};

}  // namespace plain

namespace fields {

struct Line {
    std::string sku;
    std::uint8_t quantity = 1;
};
FRESHET_JSON(Line, sku, quantity);
struct Order {
    std::string id;
    std::vector<Line> lines;
    std::optional<Line> gift;
    std::unique_ptr<Order> next;
    std::map<int, double> prices;
    std::variant<bool, std::string> any;
    Color color = Color::red;
};
FRESHET_JSON(Order, id, lines, gift, next, prices, any, color);

}  // namespace fields

TEST_CASE("an aggregate under glaze has the schema of the same type with FRESHET_JSON") {
    auto expected = freshet::schema_of<fields::Order>();
    for (auto at = expected.find("fields."); at != std::string::npos; at = expected.find("fields.", at))
        expected.replace(at, 7, "plain.");
    CHECK(freshet::schema_of<plain::Order>() == expected);
}

TEST_CASE("handlers of aggregates are described") {
    freshet::Broker broker;
    broker.subscriber<"orders">().handle([](const plain::Order&) { return plain::Line{}; });
    const auto description = broker.describe();
    CHECK(description.without_schema().empty());
    CHECK(description.schema("plain.Order") != nullptr);
    CHECK(description.message("plain.Line") != nullptr);
}
